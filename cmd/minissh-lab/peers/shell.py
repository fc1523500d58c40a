# The course has subprocess.Popen(cmd, shell=True) here. A port that does so hands
# the machine to whoever reaches it, so the answers are played.


def popen(cmd):
    """stdout and stderr of cmd, in UTF-8 text."""
    word, _, rest = cmd.partition(' ')
    if word == 'ls':
        return 'a.txt\nb.txt\n', ''
    if word == 'both':
        return 'out\n', 'err\n'
    if word == 'echo':
        return rest + '\n', ''
    if word == 'big':
        return '0123456789abcde\n' * 187 + '01234567', ''  # 3000 bytes
    if word == 'true':
        return '', ''
    return '', '/bin/sh: %s: command not found\n' % word
