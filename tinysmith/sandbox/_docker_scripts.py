"""What runs in a container for us, in bash: its first process, and what begins a command or a session.

The first process keeps the container, and ends others when it is told to. It does so by builtins alone: where a
fork bomb has taken every process there is to have, it still can. Nothing prints before it is asked to: an engine
may send early output together with its answer to a request, where the SDK would lose it.

Each command and each session has a first process of its own, its root, whose parent is outside of the container.
What came of a root is its own, and so is an orphan that is still in its session (as `setsid` means it). An orphan
that has left that is nobody's, and is ended with whatever ends next. What begins others faster than they are found
is ended after three seconds, with all that runs, by a `kill` that nothing can outrun.
"""

from typing import Literal, TypeAlias

How: TypeAlias = Literal["apart", "merged", "session"]

KEEPER = """\
exec 2>/dev/null
for each in {1..16} {18..64}; do trap '' "$each"; done  # all but CHLD, by which bash learns of zombies
is_clean=yes
look() {
  local place told
  parent=() session=() state=()
  for place in /proc/[1-9]*; do
    told=
    IFS= read -r -d '' told <"$place/stat"
    [[ $told == *') '* ]] || continue
    set -- "${place#/proc/}" ${told##*') '}
    state[$1]=$2 parent[$1]=$3 session[$1]=$5
  done
}
owner() {
  local -i left=9999
  REPLY=$1
  while (( parent[REPLY] > 1 && left-- > 0 )) && [[ -n ${parent[${parent[REPLY]}]} ]]; do
    REPLY=${parent[REPLY]}
  done
  (( parent[REPLY] == 0 )) && return
  REPLY=${session[REPLY]}
  (( REPLY > 1 )) && [[ ${parent[REPLY]} == 0 ]] || REPLY=0
}
pass() {
  local each
  is_clean=yes
  [[ $1 == all ]] && kill -9 -1
  look
  for each in "${!parent[@]}"; do
    (( each == 1 )) && continue
    if [[ $1 != all ]]; then
      owner "$each"
      (( REPLY == 0 || REPLY == $2 )) || continue
      [[ $1 == others ]] && (( each == $2 || parent[each] == $2 )) && continue
      kill -9 "$each"
    fi
    [[ ${state[each]} == [ZX] ]] || is_clean=no
  done
}
[[ -w / ]] || /bin/chmod u+w /  # Podman makes it so
/bin/mkdir -p -- "$1"
[[ -d $1 ]] || is_clean=no
read -r && printf '0 %s\\n' "$is_clean"
while IFS=' ' read -r number verb root; do
  root=${root//[!0-9]/}
  until=$((SECONDS + 3))
  while pass "$verb" "${root:-0}"; [[ $is_clean == no ]]; do
    (( SECONDS < until )) || verb=all
    read -r -t 0.01
  done
  printf '%s yes\\n' "$number"
done"""

COMMAND = """\
IFS=' ' read -r size mark || exit 1
limits=$1 how=$2
cd -- "$3" 2>&1 || exit 1
shift 3
exec 6<&0 7</dev/null
case $size in
  0) ;;
  all) exec 7<&6 ;;
  *) { /usr/bin/head -c "$size" <&6 >"/.$mark" && exec 7<"/.$mark" && /bin/rm -f -- "/.$mark"; } 2>&1 || exit 1 ;;
esac
exec 8>&1 9>&2 2>/dev/null
trap : HUP INT QUIT TERM USR1 USR2 ALRM
printf '%d\\n' "$$"
case $how in
  apart) ends='8 9' ;;
  merged) ends=8; exec 9>&1 ;;
  session) ends=9 ;;
esac
for end in $ends; do printf '%s<' "$mark" >&$end; done
( exec <&7 2>&9 6<&- 7<&- 8>&- 9>&-; ulimit $limits || exit 126; exec "$@" )
code=$?
for end in $ends; do printf '\\n%s>%d\\n' "$mark" "$code" >&$end; done
while read -r -u 6; do :; done"""

_BASH = ("/bin/bash", "--norc", "--noprofile")
SHELL = (*_BASH, "-s")
"""The bash of a session."""


def keeper(cwd: str) -> list[str]:
    """The first process, which makes a folder; asked by an empty line, it says `0 yes` or `0 no`."""
    return [*_BASH, "-c", KEEPER, "bash", cwd]


def beginning(limits: str, how: How, cwd: str, words: tuple[str, ...]) -> list[str]:
    """What an engine is told to execute.

    It reads a line: how many bytes of input follow, or `all` where it never ends; and its mark. Then it prints its
    number on a line, and the marks where each stream of the command begins and ends, or of a session, on the
    stream of errors only. It waits to be ended: an engine may lose what is printed just before an end.

    Args:
        limits: Options of `ulimit`.
        how: Whether the streams are apart or merged, or it is a session.
        cwd: Where it begins.
        words: The command.
    """
    return [*_BASH, "-c", COMMAND, "bash", limits, how, cwd, *words]
