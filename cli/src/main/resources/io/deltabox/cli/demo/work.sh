# One step of honest work: work.sh DEMO-DIRECTORY SEED
demo=$1
seed=$2
set -e
cd "$HOME/work"
python3 "$demo/ask.py" "$demo/agent.sock" work "$seed"
echo "step $seed" >>notes.txt
echo "page $seed" >"$HOME/site/page.txt"
file=$(git ls-files | sed -n "$((seed % $(git ls-files | wc -l) + 1))p")
echo "edit $seed" >>"$file"
if [ $((seed % 3)) = 0 ]; then
  git add -A
  git commit -q -m "step $seed"
fi
mkdir -p "$HOME/cache/$((seed % 5))"
echo "$seed" >"$HOME/cache/$((seed % 5))/$seed"
rm -rf "$HOME/cache/$(((seed + 2) % 5))"
