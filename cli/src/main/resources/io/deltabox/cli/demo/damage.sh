# What an agent may do to itself on a bad day: damage.sh DEMO-DIRECTORY SEED all|mine KILLED...; the last words are numbers of processes.
demo=$1
seed=$2
python3 "$demo/ask.py" "$demo/agent.sock" wreck "$seed" || exit 1
rm -rf "$HOME/work"
for i in 1 2 3; do
  setsid sleep 100000 </dev/null >/dev/null 2>&1 &
done
(setsid bash -c 'while :; do sleep 1; done' </dev/null >/dev/null 2>&1 &)
python3 - "$HOME/node_modules" <<'P'
import os, sys
for i in range(1000):
    directory = "%s/package%d/lib" % (sys.argv[1], i // 10)
    os.makedirs(directory, exist_ok=True)
    with open("%s/file%d.js" % (directory, i), "w") as f:
        f.write("module.exports = %d;\n" % i * 40)
P
if [ "$3" = all ]; then
  rm -rf --no-preserve-root / 2>/dev/null
else
  rm -rf "$HOME"/* "$HOME"/.[a-z]* /tmp/* /var/tmp/* /run/lock/* /dev/shm/* 2>/dev/null
fi
shift 3
[ $# = 0 ] || kill -9 "$@"
exit 0
