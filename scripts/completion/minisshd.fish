# Completion of minisshd for fish: minisshd itself lists its options and verbs; after an option's
# name, names of files are offered.
function __minisshd_complete
    set -l words (commandline -opc)
    contains -- -- $words; and return # it would be run
    set -l dash
    string match -q -- '-*' (commandline -ct); and set dash -
    set -l list ($words $dash --generate-bash-completion 2>/dev/null | string replace -r ':.*' '')
    if test (count $list) -gt 0; and not string match -q -- '-*' $words[-1] $dash; or test -n "$dash"
        printf '%s\n' $list
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c minisshd -f -a '(__minisshd_complete)'
