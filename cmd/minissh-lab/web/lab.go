package web

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"

	"minissh/cmd/minissh-lab/web/taped"
)

// DefaultAddress is where the lab listens: always the same, so that a link works on
// everybody's own machine.
const DefaultAddress = "127.0.0.1:7480"

// Limits of the server.
const (
	maxConns  = 64
	maxRuns   = 4 // at a time
	maxBody   = 4096
	runLimit  = 20 * time.Second
	closeWait = 2 * time.Second
)

//go:embed static
var static embed.FS

// ErrNotLoopback is an address that others could reach.
var ErrNotLoopback = errors.New("the page listens on loopback only")

// Lab is the page at work.
type Lab struct {
	listener net.Listener
	token    string
	hosts    map[string]bool
	runs     chan struct{} // one for each that is under way

	// Recorded is what the page shows of a learner's own programs, so far, and whether more may
	// come. Nil: nothing was recorded. It is set before Serve.
	Recorded func() (runs []taped.Run, grows bool)
}

// Listen opens the address, which must be loopback (ErrNotLoopback otherwise).
func Listen(address string) (*Lab, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if !isLoopback(host) {
		return nil, fmt.Errorf("%w: %s is not", ErrNotLoopback, address)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	if !l.Addr().(*net.TCPAddr).IP.IsLoopback() { // localhost, wherever the system thinks that is
		l.Close()
		return nil, fmt.Errorf("%w: %s is not", ErrNotLoopback, address)
	}
	return &Lab{listener: l, token: newToken(), hosts: names(l.Addr()),
		runs: make(chan struct{}, maxRuns)}, nil
}

// URL is the page's address for this machine's user: it holds the token. at is a
// setting ("13a", "m=5,5&f=simple"), or "".
func (l *Lab) URL(at string) string {
	u := "http://" + l.listener.Addr().String() + "/#token=" + l.token
	if at != "" {
		u += "&" + fragment(at)
	}
	return u
}

// Serve answers until ctx ends, then waits for what is under way.
func (l *Lab) Serve(ctx context.Context) error {
	s := &http.Server{
		Handler:           l.guard(l.handler()),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: runLimit + 10*time.Second, IdleTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10,
		BaseContext:    func(net.Listener) context.Context { return ctx },
		ErrorLog:       log.New(io.Discard, "", 0),
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		wait, cancel := context.WithTimeout(context.Background(), closeWait)
		defer cancel()
		if s.Shutdown(wait) != nil {
			s.Close()
		}
	})
	err := s.Serve(netutil.LimitListener(l.listener, maxConns))
	if !stop() {
		<-stopped
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// handler is the list of all that can be asked for.
func (l *Lab) handler() http.Handler {
	files, err := fs.Sub(static, "static")
	if err != nil {
		panic(err) // the folder is embedded
	}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", file(files, "index.html", "text/html; charset=utf-8"))
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		panic(err)
	}
	for _, e := range entries {
		if kind := contentType(e.Name()); kind != "" {
			mux.Handle("GET /"+e.Name(), file(files, e.Name(), kind))
		}
	}
	mux.HandleFunc("GET /api/start", l.allowed(l.start))
	mux.HandleFunc("GET /api/recorded", l.allowed(l.recorded))
	mux.HandleFunc("POST /api/run", l.allowed(l.run))
	mux.HandleFunc("POST /api/live", l.allowed(l.live))
	mux.HandleFunc("POST /api/export", l.allowed(l.export))
	return mux
}

// contentType is what a file of the page is; the system's own table is not asked.
func contentType(name string) string {
	for _, k := range [][2]string{{".css", "text/css; charset=utf-8"},
		{".js", "text/javascript; charset=utf-8"}, {".svg", "image/svg+xml"}} {
		if len(name) > len(k[0]) && name[len(name)-len(k[0]):] == k[0] {
			return k[1]
		}
	}
	return ""
}

func file(files fs.FS, name, kind string) http.Handler {
	data, err := fs.ReadFile(files, name)
	if err != nil {
		panic(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.Write(data)
	})
}
