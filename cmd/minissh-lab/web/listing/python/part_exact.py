def recv_exact(n):
    data = b''
    while len(data) < n:
        want = min(n - len(data), $RECV)
        part = conn.recv(want)  #@ recv
        if not part:  #@ end
            sys.exit()  #@ end
        data += part
    return data
