def run(cmd):
    # 谁连得上，谁就能运行命令：只监听 127.0.0.1 / whoever connects runs commands: 127.0.0.1 only
    obj = subprocess.Popen(cmd, shell=True, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = obj.communicate()
    return out + err
