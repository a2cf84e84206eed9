# A shell with a running child; says on each line it reads what it knows of the child.
sleep 1000000 &
child=$!
count=0
echo "ready $$"
while read -r question; do
  count=$((count + 1))
  parent=gone
  while read -r key value; do
    [ "$key" = PPid: ] && parent=$value
  done </proc/$child/status
  echo "shell=$$ child=$child parent=$parent jobs=$(jobs -pr) question=$question"
done
