# Makes the working copy and the pages of the server: setup.sh DEMO-DIRECTORY; the bundle, if any, lies there.
demo=$1
set -e
cd "$HOME"
export GIT_CONFIG_GLOBAL=$HOME/.gitconfig
git config --global user.name demo
git config --global user.email demo@localhost
git config --global init.defaultBranch main
git config --global gc.auto 0
if [ -s "$demo/work.bundle" ] && git clone -q "$demo/work.bundle" work 2>/dev/null && [ -n "$(ls work)" ]; then
  echo checkout
else
  rm -rf work
  git init -q work
  for i in 1 2 3 4 5 6 7 8; do
    mkdir -p "work/part$i"
    for k in 1 2 3 4 5 6 7 8; do seq "$i" "$((i * k * 40 + 3))" >"work/part$i/file$k.txt"; done
  done
  git -C work add -A
  git -C work commit -q -m first
  echo generated
fi
first=$(git -C work ls-files | head -n 1)
echo 'an edit that is not committed' >>"work/$first"
echo 'a file that git does not know' >work/notes.txt
mkdir -p site
echo "page 0" >site/page.txt
