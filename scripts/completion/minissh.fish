# Completion of minissh for fish. minissh itself says what may come next; where it says nothing,
# names of files are offered.
function __minissh_complete
    set -l words (commandline -opc)
    set -l program $words[1]
    set -e words[1]
    set -l list ($program --complete $words (commandline -ct) 2>/dev/null)
    if test (count $list) -gt 0
        printf '%s\n' $list
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c minissh -f -a '(__minissh_complete)'
