"""``ferris-beam completion bash|zsh|fish``: the script that completes in a shell.

The scripts only hand the line to ``ferris-beam complete`` and take what comes back.
"""

from __future__ import annotations

import argparse

_BASH = r"""# bash completion of ferris-beam. To use it now and in every shell to come:
#   ferris-beam completion bash > ~/.local/share/bash-completion/completions/ferris-beam
_ferris_beam() {
    local line=${COMP_LINE:0:COMP_POINT} current=${COMP_WORDS[COMP_CWORD]} word found
    COMPREPLY=()
    {
        IFS= read -r word
        # Bash splits words at ':' and '=', outside of quotes: it replaces the last piece only.
        case $current in
            \'*|\"*) current=${current#?} ;;
            :|=) current= ;;
        esac
        while IFS= read -r found; do
            COMPREPLY+=("${found#"${word%"$current"}"}")
        done
    } < <("${COMP_WORDS[0]}" complete "$line" 2>/dev/null)
    case ${COMPREPLY[0]} in
        *=|*:|*/) compopt -o nospace 2>/dev/null ;;
    esac
}
complete -F _ferris_beam ferris-beam
"""

_ZSH = r"""#compdef ferris-beam
# zsh completion of ferris-beam. To use it, put it into a folder of $fpath:
#   ferris-beam completion zsh > "${fpath[1]}/_ferris-beam"
_ferris_beam() {
    local -a found going done
    local each
    found=("${(@f)$(${words[1]} complete "$LBUFFER" 2>/dev/null)}")
    for each in "${(@)found[2,-1]}"; do
        case $each in
            *=|*:|*/) going+=("$each") ;;
            ?*) done+=("$each") ;;
        esac
    done
    if (( $#going )); then compadd -S '' -- "${(@)going}"; fi
    if (( $#done )); then compadd -- "${(@)done}"; fi
}
if [[ ${funcstack[1]} == _ferris-beam ]]; then
    _ferris_beam "$@"
else
    compdef _ferris_beam ferris-beam
fi
"""

_FISH = r"""# fish completion of ferris-beam. To use it:
#   ferris-beam completion fish > ~/.config/fish/completions/ferris-beam.fish
function __ferris_beam_complete
    ferris-beam complete (commandline -cp | string collect) 2>/dev/null | tail -n +2
end
complete -c ferris-beam -f -a '(__ferris_beam_complete)'
"""

_SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def run(arguments: argparse.Namespace) -> None:
    print(_SCRIPTS[arguments.shell], end="")
