# A tree of shells that lives on: pipelines, background jobs, subshells, traps, a named pipe, variables, files. Work is done by builtins, so that
# few processes come and go; now and then a short-lived one does.
directory=$1
mkdir -p "$directory"
cd "$directory" || exit 1
exec 9<>/dev/null
[ -p ticks ] || mkfifo ticks
[ -p never ] || mkfifo never
exec 8<>never

nap() { read -r -t "$1" -u 8 _; }

produce() {
  local n=0
  while :; do
    n=$((n + 1))
    echo "$n $RANDOM $SECONDS"
    nap 0.002
  done
}

transform() {
  local line all=""
  while read -r line; do
    all="${line##* }${all:0:400}"
    echo "${line^^} ${#all}"
  done
}

consume() {
  local line count=0
  local -a last
  while read -r line; do
    count=$((count + 1))
    last[count % 50]=$line
    echo "$count $line" > "out$((count % 7))"
    [ $((count % 400)) -ne 0 ] || echo "$count" | sort > sorted
  done
}

(produce | transform | consume) &

(
  declare -A words
  n=0
  while :; do
    n=$((n + 1))
    words[w$((RANDOM % 500))]=$n
    printf '%s\n' "${!words[@]}" > words
    echo "tick $n" > ticks
    nap 0.004
  done
) &
(while :; do read -r tick < ticks; echo "$tick" >> log; [ $((${tick#tick } % 300)) -ne 0 ] || : > log; done) &
trap 'traps=$((traps + 1))' USR1
traps=0
echo ready
i=0
while :; do
  i=$((i + 1))
  nap 0.01
  state="$i $traps ${state:0:200}"
  [ $((i % 9)) -ne 0 ] || kill -USR1 $$
  echo "round $i of $$: $state" > here
done
