# A tree of shells: pipelines, background jobs, subshells, here documents, command substitution, traps, a named pipe.
directory=$1
mkdir -p "$directory"
cd "$directory" || exit 1
(
  n=0
  while :; do
    n=$((n + 1))
    seq 1 200 | sort -rn | head -n 5 > "out$((n % 7))"
    sleep 0.002
  done
) &
(
  while :; do
    x=$(echo "$RANDOM" | tr 0-9 a-j)
    echo "$x" >> words
    [ "$(wc -l < words)" -lt 300 ] || : > words
    sleep 0.003
  done
) &
[ -p fifo ] || mkfifo fifo
(while :; do echo "line $SECONDS"; sleep 0.005; done > fifo) &
(while read -r line; do echo "$line" > last; done < fifo) &
trap 'traps=$((traps + 1))' USR1
traps=0
echo ready
i=0
while :; do
  i=$((i + 1))
  sleep 0.01 &
  wait $!
  state="$i $traps ${state:0:100}"
  cat > here <<END
round $i of $$
END
done
