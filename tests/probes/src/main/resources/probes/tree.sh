# A tree of shells that all live on: pipelines, background jobs, subshells, here documents, traps, a named pipe. Only builtins are used, because a
# process that has ended cannot be put back.
directory=$1
mkdir -p "$directory"
cd "$directory" || exit 1
[ -p fifo ] || mkfifo fifo
exec 9<>fifo
pause() { read -r -t "$1" -u 9 ignored; }
(
  n=0
  while :; do
    n=$((n + 1))
    printf '%s\n' "$n" "$((n * n))" > "out$((n % 7))"
    pause 0.002
  done
) &
(
  while :; do
    words+=("$RANDOM")
    [ "${#words[@]}" -lt 300 ] || words=()
    printf '%s ' "${words[@]}" > words
    pause 0.003
  done
) &
(n=0; while :; do n=$((n + 1)); echo "line $n"; pause 0.005; done) | (while read -r line; do echo "$line" > last; done) &
sleep 1000000 &
trap 'traps=$((traps + 1))' USR1
traps=0
echo ready
i=0
while :; do
  i=$((i + 1))
  state="$i $traps ${state:0:100}"
  kill -USR1 $$
  pause 0.01
  read -r -d '' text <<END
round $i of $$
END
  echo "$text" > here
done
