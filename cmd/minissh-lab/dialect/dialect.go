package dialect

import (
	"context"
	"net"
	"time"

	"golang.org/x/text/encoding"

	"minissh/cmd/minissh-lab/folder"
)

// Kind is what a dialect is about.
type Kind int

const (
	Echo     Kind = iota // any text, answered in upper case
	Commands             // a line for the played shell
	Files                // get NAME, put NAME
)

// Dialect is one row of the course's table.
type Dialect struct {
	Name     string // as in --dialect
	Chapters string // the course's chapters, "11-12"
	Port     int    // the course's port
	Datagram bool   // UDP; otherwise a stream (TCP or a Unix socket)
	Kind     Kind
	Zh, En   string // one line each: what travels

	serve  func(*wire) error                         // one connection, until its end
	call   func(*wire, string) (*Reply, error)       // one line, one answer
	answer func(o Options, datagram []byte) [][]byte // one datagram, its answers
}

// All is the table, in the course's order.
var All = []*Dialect{echo, naive, ack, simple, ultimate, file, oo, udp, udpExec}

// Find returns the dialect of that name, or nil.
func Find(name string) *Dialect {
	for _, d := range All {
		if d.Name == name {
			return d
		}
	}
	return nil
}

// Options are the choices of one end. The zero value is the course's own way.
type Options struct {
	// lengths as struct.pack('!i'); otherwise 'i' on a PC, little-endian
	BigEndian bool
	Encoding  encoding.Encoding // of commands and output; nil is UTF-8 (see ParseEncoding)
	RecvSize  int               // the n of recv(n), 1 to MaxRecv; 0 is 1024
	// the server waits this long before each reply; a client's put, between command and header
	Pace    time.Duration
	Timeout time.Duration // longest silence of the peer; 0 is five minutes
	// ack dialect, client: what to send; "" is AckText, NoAck sends none
	Ack string
	// udp-exec server: stderr and stdout as two datagrams, as some copies do
	TwoParts bool
	MaxData  int64 // longest answer or file that is taken; 0 is 64 MiB

	// where files are read and saved; nil refuses them
	Folder *folder.Folder
	Shell  func(line string) (stdout, stderr []byte) // nil is the played shell
	// told of each recv and send, in order; nil for nobody
	Events func(Event)
	// a client's put waits for it between command and header; nil waits Pace
	Gap func(ctx context.Context) error
}

// Limits that are not options.
const (
	MaxRecv    = 65536 // largest RecvSize
	MaxCommand = 1024  // longest command in bytes: what one recv(1024) of a course server takes
	MaxHeader  = 8192  // longest JSON header that is believed
)

// Op is the kind of an Event.
type Op string

const (
	Recv Op = "recv" // Data is what one recv returned; nil is the peer's end
	Send Op = "send" // Data is what one send was given
	Note Op = "note" // Zh and En say what was decided
)

// Event is one thing that happened on a connection. Data is valid until the
// function returns. Zh and En are safe for a terminal.
type Event struct {
	Op     Op
	Data   []byte
	Zh, En string
}

// Reply is the answer to one Exchange.
type Reply struct {
	Data   []byte  // what the server answered, in its own encoding (see Options.Text)
	Header *Header // the JSON header, nil where the dialect has none
	Saved  string  // get: the name under which the file was saved
	Sent   int64   // put: bytes of the file sent
}

// Serve speaks d on an accepted stream connection until the peer leaves (nil), ctx
// ends or something is wrong. It does not close conn.
func (d *Dialect) Serve(ctx context.Context, conn net.Conn, o Options) error {
	w, done := newWire(ctx, conn, o)
	defer done()
	w.server = true
	return w.ending(d.serve(w))
}

// Client is the course's client: strictly one question, one answer. It is used by
// one goroutine.
type Client struct {
	conn net.Conn
	d    *Dialect // nil until auto has guessed
	o    Options
	rest []byte // received and not yet taken: the next answer begins with it
}

// NewClient speaks d on conn; with d == nil it guesses from the first answer. The
// caller closes conn.
func NewClient(conn net.Conn, d *Dialect, o Options) *Client {
	return &Client{conn: conn, d: d, o: o}
}

// Dialect is what the client speaks, nil while it has not guessed yet.
func (c *Client) Dialect() *Dialect { return c.d }

// Options are the client's options; a guess may have set BigEndian.
func (c *Client) Options() Options { return c.o }

// Exchange sends one line and takes its answer. ErrEmpty and ErrLong send nothing;
// after ErrSilent, ErrRefused and ErrLocal the connection is still good; after any other error
// it is not.
func (c *Client) Exchange(ctx context.Context, line string) (*Reply, error) {
	w, done := newWire(ctx, c.conn, c.o)
	defer done()
	w.rest = c.rest
	defer func() { c.rest = w.rest }()
	if _, err := w.encodeCommand(line); err != nil {
		return nil, err
	}
	if c.d == nil {
		d, bigEndian, reply, err := callAuto(w, line)
		if d != nil {
			c.d, c.o.BigEndian = d, bigEndian
		}
		return reply, w.failed(err)
	}
	reply, err := c.d.call(w, line)
	return reply, w.failed(err)
}
