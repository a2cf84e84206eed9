# What an agent can find out from inside, one fact per line: facts.sh DEMO-DIRECTORY
demo=$1
cd "$HOME" || exit 1
python3 "$demo/ask.py" "$demo/agent.sock" digest | sed 's/^/agent /'
python3 "$demo/ask.py" "$demo/agent.sock" threads | sed 's/^/threads /'
exec 3<>/dev/tcp/127.0.0.1/8000 && printf 'GET /page.txt HTTP/1.0\r\n\r\n' >&3 && echo "http $(sed '1,/^\r$/d' <&3)"
exec 3<&-
cd work || exit 1
echo "git-head $(git rev-parse HEAD)"
git status --porcelain=v1 | sed 's/^/git-status /'
git diff | sha256sum | sed 's/^/git-diff /'
git fsck --full --no-progress 2>&1 | sed 's/^/git-fsck /'
echo "git-fsck exit ${PIPESTATUS[0]}"
