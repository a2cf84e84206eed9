package io.deltabox.check;

import java.util.List;
import java.util.Map;

/**
 * One process: facts by name, and its memory.
 *
 * @param innerPid its number inside the sandbox, which outlives a process made again
 * @param facts everything comparable as text
 * @param regions ascending, regions a program cannot tell apart joined
 */
record ProcessImage(int innerPid, Map<String, String> facts, List<Region> regions) {}
