import socket
import sys


def address(port):
    """The first argument as (family, address): host:port, [v6]:port, unix:PATH."""
    text = sys.argv[1] if len(sys.argv) > 1 else '127.0.0.1:%d' % port
    if text.startswith('unix:'):
        return socket.AF_UNIX, text[5:]
    host, _, number = text.rpartition(':')
    if host.startswith('['):
        return socket.AF_INET6, (host.strip('[]'), int(number))
    return socket.AF_INET, (host, int(number))


def started(s):
    """Tell the test which port it is."""
    name = s.getsockname()
    print('starting', name if isinstance(name, str) else name[1], flush=True)
