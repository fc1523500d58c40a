package conform

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"minissh/cmd/minissh-lab/marked"
	"minissh/cmd/minissh-lab/speak"
	"minissh/daemon/process"
	"minissh/protocol/keys"
	"minissh/protocol/transport"
)

// Login is what TLS needs.
type Login struct {
	Key     tls.Certificate // our key's envelope
	HostKey string          // the fingerprint of the daemon's key: SHA256:…
	// Authority signs certificates that the daemon takes for the user's (CE3); nil: none is known.
	Authority ssh.Signer
}

// connect reaches the daemon under test.
func (t *trial) connect() (net.Conn, error) {
	if path, ok := strings.CutPrefix(t.o.Address, "unix:"); ok || t.unix != "" {
		if !ok {
			path = t.unix
		}
		return net.DialTimeout("unix", path, t.o.Patience)
	}
	raw, err := net.DialTimeout("tcp", t.o.Address, t.o.Patience)
	if err != nil {
		return nil, err
	}
	raw.(*net.TCPConn).SetWriteBuffer(64 << 10) // so that an end that does not read is noticed
	raw.SetDeadline(time.Now().Add(t.o.Patience))
	conn, err := transport.Client(raw, nil, t.o.Login.Key, t.verify)
	if err != nil {
		raw.Close()
		return nil, err
	}
	raw.SetDeadline(time.Time{})
	return conn, nil
}

// verify knows the daemon's key (ID4).
func (t *trial) verify(host *x509.Certificate) error {
	key, err := keys.FromCertificate(host)
	if err != nil {
		return err
	}
	if found := ssh.FingerprintSHA256(key); found != t.o.Login.HostKey {
		return fmt.Errorf("the host key is %s, not %s", found, speak.Clean(t.o.Login.HostKey))
	}
	return nil
}

// maxOutput is how much of each stream of a program is kept.
const maxOutput = 4 << 20

// program is the program under test.
type program struct {
	p       *process.Process
	mark    string // in its environment, and in that of what it starts
	readers sync.WaitGroup

	mu       sync.Mutex
	out, err bytes.Buffer // owned by mu
}

// arguments puts values into a command line, at its end where it does not name them.
func arguments(words []string, values ...[2]string) []string {
	args := slices.Clone(words)
	for _, v := range values {
		named := false
		for i, w := range args {
			named = named || strings.Contains(w, v[0])
			args[i] = strings.ReplaceAll(w, v[0], v[1])
		}
		if !named {
			args = append(args, v[1])
		}
	}
	return args
}

// startProgram runs a command line where the lab was started, without a shell, and reads its
// output.
func startProgram(argv []string) (*program, error) { return startReading(argv, true) }

// startReading is startProgram; without reading, standard output is left alone until read.
func startReading(argv []string, reading bool) (*program, error) {
	mark := marked.New()
	env := append(os.Environ(), mark, "PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1")
	here, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	path, err := process.LookPath(argv[0], here, env)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", speak.Quote([]byte(argv[0])), err)
	}
	p, err := process.Start(process.Spec{Path: path, Args: argv, Env: env, Dir: here})
	if err != nil {
		return nil, err
	}
	prog := &program{p: p, mark: mark}
	if reading {
		prog.read()
	}
	prog.readers.Go(func() { prog.keep(&prog.err, p.Stderr) })
	return prog, nil
}

// read reads standard output from now on.
func (p *program) read() { p.readers.Go(func() { p.keep(&p.out, p.p.Stdout) }) }

// types gives the program an input, and its end where that is said.
func (p *program) types(text string, end bool) {
	p.readers.Go(func() {
		p.p.Stdin.Write([]byte(text)) // a program that has ended reads no more
		if end {
			p.p.Stdin.Close()
		}
	})
}

// keep reads a stream to its end.
func (p *program) keep(into *bytes.Buffer, r io.Reader) {
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		p.mu.Lock()
		into.Write(buf[:min(n, maxOutput-into.Len())])
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (p *program) output() (out, err []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return bytes.Clone(p.out.Bytes()), bytes.Clone(p.err.Bytes())
}

// end ends the program, and what it started, and waits.
func (p *program) end(grace time.Duration) {
	p.p.Signal("TERM")
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.p.Done():
	case <-timer.C:
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	p.p.Stop(ctx, 0) // what survives a kill is not ours to mend
	marked.End(ctx, p.mark)
	p.p.Close()
	p.readers.Wait()
}

// hasEnded says whether the program is there no more.
func (p *program) hasEnded() bool {
	select {
	case <-p.p.Done():
		return true
	default:
		return false
	}
}

// lastWords are the end of what a program said on standard error.
func (p *program) lastWords() string {
	_, said := p.output()
	said = bytes.TrimSpace(said)
	if at := bytes.LastIndexByte(said, '\n'); at >= 0 {
		said = said[at+1:]
	}
	return speak.QuoteShort(said, 200)
}

// await waits until a daemon's socket takes a connection, as a person would see it.
func (p *program) await(ctx context.Context, socket string, patience time.Duration) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		if conn, err := net.Dial("unix", socket); err == nil {
			conn.Close()
			return nil
		}
		select {
		case <-tick.C:
		case <-p.p.Done():
			return errors.New("it ended: " + p.lastWords())
		case <-timer.C:
			return errors.New("it does not listen: " + p.lastWords())
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
