# A shell with children: one that sleeps, one that is stopped, and a worker whose exit code it waits for. Says on each line it reads what it knows of
# them. The line "finish N" lets the worker end with code N and starts the next; "become" runs another program in its place.
sleep 1000000 &
child=$!
sleep 1000000 &
stopped=$!
kill -STOP $stopped
mkfifo "$1/worker"
work() {
  read -r code <"$1/worker"
  exit "$code"
}
work "$1" &
worker=$!
count=0
echo "ready $$"
parent() {
  found=gone
  while read -r key value; do
    [ "$key" = PPid: ] && found=$value
  done 2>/dev/null </proc/$1/status
  echo "$1 of $found"
}
while read -r question code; do
  count=$((count + 1))
  case $question in
    finish)
      echo "$code" >"$1/worker"
      wait $worker
      echo "worker exit=$?"
      work "$1" &
      worker=$!
      ;;
    become) exec sleep 1000000 ;;
    *) echo "shell=$$ child=$(parent $child) stopped=$(parent $stopped) worker=$(parent $worker) jobs=$(jobs -pr | tr '\n' ' ')question=$question" ;;
  esac
done
