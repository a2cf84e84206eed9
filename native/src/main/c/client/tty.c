/* Raw mode of the caller's terminal, put back on every way out. */
#include "client.h"

#include <termios.h>
#include <unistd.h>

static struct termios saved;
static bool raw;

void tty_raw(bool on)
{
	if (on == raw)
		return;
	if (!on) {
		(void)tcsetattr(0, TCSADRAIN, &saved);
		raw = false;
		return;
	}
	if (tcgetattr(0, &saved))
		return;
	struct termios mode = saved;
	cfmakeraw(&mode);
	if (!tcsetattr(0, TCSADRAIN, &mode))
		raw = true;
}
