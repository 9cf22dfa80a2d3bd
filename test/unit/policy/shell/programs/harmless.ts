/** Commands that change nothing, start nothing and speak to nobody. */
import { lines } from "./command.ts";

export const HARMLESS = lines(String.raw`
cat a
cat -n a b
cat -A -- -odd
cat $X
cat *.ts
cat --number --squeeze-blank a
tac -s , a
head a
head -5 a
head -n 20 a
head -n20 a
head --lines=20 a
head -c 100 a
tail -f log
tail -n +5 a
tail -5 a
tail -F --retry log
wc -l a
wc -lw a b
wc src/*.ts
cut -d: -f1 a
cut -d , -f 2,3 a
cut --delimiter=, --fields=1 a
tr a-z A-Z
tr -d '\n'
tr -cd '[:alnum:]'
nl -ba a
fold -w 80 -s a
rev a
paste -sd, a
paste a b
join -t, -1 2 -2 1 a b
comm -12 a b
cmp a b
cmp -s a b
diff a b
diff -u a b
diff -ruN a b
diff --brief -r a b
diff --color=never -U3 a b
diff -y -W 120 a b
uniq -c
uniq -c a
uniq -d --ignore-case a
sort a
sort -n a
sort -k2,2 -t, a
sort -rnk2 a
sort --reverse --numeric-sort --key=2 a
sort -u src/*.txt
sort -o /dev/null a
shuf -n 3 a
od -A x -t x1z a
od -c a
hexdump -C a
hexdump -n 64 -C a
xxd a
xxd -l 64 -g 1 a
xxd -p a
strings a
strings -n 8 a
md5sum a
sha256sum a b
sha256sum -c sums
sha1sum --check --quiet sums
base64 -d a
base64 -w 0 a
column -t a
column -t -s, a
grep foo a
grep -rn foo src
grep -rn --include='*.ts' foo src
grep -E 'a|b' a
grep -A3 -B 2 foo a
grep -e foo -e bar a
grep -f patterns a
grep -c "$PATTERN" a
grep -5 foo a
grep -rl foo .
grep -v '^#' a
grep -oP '\d+' a
egrep 'a|b' a
fgrep -x foo a
rg foo
rg -n foo src
rg -t ts foo
rg --files
rg --files -g '*.ts'
rg -l --hidden foo
rg -uu foo
rg -A 3 -C2 foo src
rg --json foo
rg -e foo -e bar src
ls
ls -la
ls -la src
ls -lhS --color=never
ls *.ts
ls ~/x
stat a
stat -c %s a
du -sh .
du -sh --max-depth=1 src
du -d 1 -h
df -h
tree -L 2
tree -a -I node_modules src
realpath a
readlink -f a
basename src/a.ts .ts
dirname src/a.ts
file a
file -b --mime-type a
pwd
pwd -P
echo hello
echo -n hello
echo -e 'a\nb'
echo --output=x
printf '%s\n' a b
printf '%d%%\n' 5
printf -- '%s' a
test -f a
test -n "$X"
[ -f a ]
[ -d "$DIR" ]
[ "$A" = b ]
[ a -nt b ]
[ ! -e a ]
[ -z "$A" -a -n "$B" ]
test 1 -eq 2
true
false
date
date +%s
date -u '+%Y-%m-%d'
date -d yesterday +%F
uname -a
whoami
id -u
hostname
hostname -s
which node
which -a git
type -a git
command -v git
sleep 1
seq 1 10
seq -w 1 10
expr 1 + 2
env
printenv PATH
ps aux
ps -ef
ps -aux
ps -o pid,comm -p 1
nproc
uptime
free -h
umask
cd src
cd ./src
cd -P src
awk '{print $1}' a
awk -F: '{ print $1, $NF }' a
awk -F , -v n=3 'NR > n { s += $2 } END { print s / NR }' a
awk '/foo|bar/ { print FILENAME ":" FNR }' a b
awk '$3 > 100 && $1 !~ /x/' a
awk '{ if ($1 >= 5) print; else n++ } END { printf "%d\n", n }' a
awk '{ if (($1 > 5)) print }' a
awk 'BEGIN { x = 10 / 2; print x }'
awk '/system/ { print "the > sign | here" }' a
awk 'length > 80' a
awk '!seen[$0]++' a
awk 'NR==1,NR==5' a
gawk --posix '{ print toupper($0) }' a
sed 's/a/b/' a
sed -n 5p a
sed -n '1,20p' a
sed -n '/foo/,/bar/p' a
sed -e 's/a/b/g' -e '/x/d' a
sed -E 's/(a|b)+/\1/2g' a
sed '1!G;h;$!d' a
sed 's|/usr|/opt|g' a
sed ':a;N;$!ba;s/\n/ /g' a
sed '/^$/d;s/w e/x/' a
sed '$d' a
sed -n '$=' a
sed 'y/abc/xyz/' a
sed '/foo/{s/a/b/;p}' a
sed '2q' a
sed '1i hello' a
sed 'a\⏎w is only text' a
sed --quiet --expression=p a
sed -n '/a/I,+3p' a
sed -s -n 1p src/*.ts
sed 's/x/y/w /dev/stdout' a
sed -n '\,x,p' a
find .
find . -name '*.ts'
find src -type f -name a -print
find . -maxdepth 2 -not -path './node_modules/*'
find . '(' -name a -o -name b ')' -print0
find . -newer a -size +10k -mtime -3
find . -type f -printf '%p\n'
find . -name "$X"
find . \( -name a -o -name b \) -print
find . \! -name a
git show stash@{0}
git diff HEAD~3 HEAD^
find -L src test -empty
find . -path ./a -prune -o -print
find "./src/$X" -type f
find ./src/*.ts -newer a
find . -newermt yesterday
fd foo
fd -e ts foo src
fd -H -t f --max-depth=2
jq . a
jq -r '.a[] | .b' a
jq -n --arg x 1 '$x'
jq -S -c . a
jq --slurpfile a b.json '.x' a
jq '.include_path' a
yq .a a
yq -r '.a.b' a
tar tf a.tar
tar -tvf a.tar
tar tzf a.tgz
tar -xOf a.tar file
tar --list --file=a.tar
unzip -l a.zip
unzip -p a.zip file
zipinfo a.zip
gzip -l a.gz
gzip -dc a.gz
gzip -cd a.gz
zcat a.gz
xz -t a.xz
git status
git status -sb
git status --porcelain=v2 --branch
git diff
git diff HEAD
git diff --stat main..feature
git diff --cached --name-only
git diff -U5 -- src
git diff -w --no-ext-diff a b
git diff -- "$X"
git log
git log --oneline -5
git log -n 3 --format='%H %s'
git log -p -- src
git log --graph --all --decorate
git log --since=yesterday --author=me
git log -S foo --stat
git log -L1,5:a
git show
git show HEAD
git show HEAD:src/a.ts
git show --stat HEAD~2
git blame a
git blame -L 1,20 a
git rev-parse HEAD
git rev-parse --abbrev-ref HEAD
git rev-parse --show-toplevel
git ls-files
git ls-files -o --exclude-standard
git ls-tree -r HEAD --name-only
git cat-file -p HEAD
git grep foo
git grep -n -e foo -- src
git branch
git branch -a
git branch -vv
git branch --show-current
git branch --list 'feat/*'
git branch --contains HEAD
git branch --merged
git branch -r --sort=-committerdate
git tag
git tag -l 'v*'
git tag --points-at HEAD
git describe --tags --always
git shortlog -sn HEAD
git reflog
git reflog show HEAD
git stash list
git stash show -p
git worktree list
git remote
git remote -v
git remote get-url origin
git config --get user.name
git config -l
git config user.name
git config list
git merge-base main HEAD
git rev-list --count HEAD
git for-each-ref --format='%(refname)'
git show-ref --heads
git check-ignore -v a
git count-objects -vH
git -C src status
git --no-pager log -3
git -P diff
git --version
git version
git apply --check a.patch
git archive HEAD
npm ls
npm ls --depth=0 --all
npm --version
npm root
node --version
node -v
python3 --version
cargo --version
go version
make --version
xargs
dd if=a bs=1 count=4
`);
