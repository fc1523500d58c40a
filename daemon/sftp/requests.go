package sftp

import (
	"encoding/binary"
	"io"
	"io/fs"
	"sync"

	"golang.org/x/crypto/ssh"
)

// requests passes a client's packets on, and remembers the permissions that OPEN and MKDIR ask for:
// the library does not hand them to its handlers. It calls one handler for each such packet, in the
// order in which they came, and that handler takes one. It gives the end of the stream when all
// packets are answered. Extensions that the library does not know go through extended.
type requests struct {
	in       io.Reader
	answers  *answers                   // nil: nobody waits for them
	extended func(packet []byte) []byte // what takes the place of an EXTENDED packet; nil: itself
	packets  int                        // that have come

	held   []byte // read, and not passed on yet
	coming uint32 // then so much of the same packet

	mu    sync.Mutex // guards the rest
	asked []fs.FileMode
}

// Types, flags and limits of draft-ietf-secsh-filexfer-02.
const (
	typeOpen     = 3
	typeMkdir    = 14
	typeRealpath = 16
	typeVersion  = 2
	typeStatus   = 101
	typeExtended = 200
	typeReply    = 201 // to EXTENDED

	openWays = 0x1f // READ, WRITE, APPEND, CREAT, TRUNC: without one of them no handler is called

	attrSize, attrOwner, attrMode = 1, 2, 4

	longest = 256 << 10 // bytes of a packet that the library takes
)

type (
	openPacket struct {
		ID    uint32
		Path  string
		Ways  uint32
		Attrs uint32
		Rest  []byte `ssh:"rest"`
	}
	mkdirPacket struct {
		ID    uint32
		Path  string
		Attrs uint32
		Rest  []byte `ssh:"rest"`
	}
)

// Read is io.Reader's.
func (r *requests) Read(p []byte) (int, error) {
	if len(r.held) == 0 && r.coming == 0 {
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	if len(r.held) > 0 {
		n := copy(p, r.held)
		r.held = r.held[n:]
		return n, nil
	}
	n, err := r.in.Read(p[:min(len(p), int(r.coming))])
	r.coming -= uint32(n)
	return n, err
}

// next reads the beginning of a packet, or all of it if something in it is of use here.
func (r *requests) next() error {
	start := make([]byte, 5)
	if _, err := io.ReadFull(r.in, start); err != nil {
		if r.answers != nil {
			r.answers.await(r.packets)
		}
		return err
	}
	r.packets++
	// the library ends the connection at a length of 0 or above longest, and reads no more
	r.held, r.coming = start, min(binary.BigEndian.Uint32(start)-1, longest)
	kind := start[4]
	if r.coming == longest || kind != typeOpen && kind != typeMkdir && kind != typeExtended {
		return nil
	}
	body := make([]byte, r.coming)
	r.coming = 0
	if _, err := io.ReadFull(r.in, body); err != nil {
		return err
	}
	r.held = append(start, body...)
	if kind == typeExtended && r.extended != nil {
		r.held = r.extended(r.held)
	}
	r.remember(kind, body)
	return nil
}

// remember notes what a packet asks for. The library ends the connection when one is malformed.
func (r *requests) remember(kind byte, body []byte) {
	var open openPacket
	var mkdir mkdirPacket
	mode := fs.FileMode(0)
	switch {
	case kind == typeMkdir && ssh.Unmarshal(body, &mkdir) == nil:
		mode = permissions(mkdir.Attrs, mkdir.Rest, 0o777)
	case kind == typeOpen && ssh.Unmarshal(body, &open) == nil && open.Ways&openWays != 0:
		mode = permissions(open.Attrs, open.Rest, 0o666)
	default:
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, mode)
}

// permissions are those that the attributes of a packet name, or usual ones.
func permissions(which uint32, attrs []byte, usual fs.FileMode) fs.FileMode {
	before := 0
	if which&attrSize != 0 {
		before += 8
	}
	if which&attrOwner != 0 {
		before += 8
	}
	if which&attrMode == 0 || len(attrs) < before+4 {
		return usual
	}
	return fs.FileMode(binary.BigEndian.Uint32(attrs[before:])) & fs.ModePerm
}

// take is the mode of the next file or folder that is made; the umask applies to it.
func (r *requests) take() fs.FileMode {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.asked) == 0 {
		return 0o600
	}
	mode := r.asked[0]
	r.asked = r.asked[1:]
	return mode
}
