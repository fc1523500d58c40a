package check

import (
	"bytes"
	"crypto/md5"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"minissh/cmd/minissh-lab/chaos"
	"minissh/cmd/minissh-lab/dialect"
	"minissh/cmd/minissh-lab/folder"
)

func itoa(n int) string { return strconv.Itoa(n) }

// mib is what a file of 1 MiB holds: every byte value, so that text mode shows.
var mib = func() []byte {
	b := make([]byte, 1<<20)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}()

// fileSamples are the files of the cases: 0 B, 1 B, some, a Chinese name, 1 MiB.
var fileSamples = []struct {
	name string
	data []byte
}{
	{"empty.txt", nil},
	{"one.txt", []byte("1")},
	{"a.txt", []byte("hello world")},
	{"你好.txt", folder.Samples()["你好.txt"]},
	{"mib.bin", mib},
}

func sum(b []byte) Text { return text("%d B, md5 %x", len(b), md5.Sum(b)) }

// needsFolder refuses a server that the lab did not start: it could not see its files.
func (a *attack) needsFolder() error {
	if a.o.Connect {
		return &Skipped{
			tx("要由实验室启动程序才行：它看不到别处的文件",
				"the lab has to start the program itself: it cannot see files elsewhere")}
	}
	return nil
}

// give puts a file where the server's program may look for it.
func (a *attack) give(name string, data []byte) error {
	for _, sub := range commonFolders {
		if err := os.WriteFile(filepath.Join(a.work.dir, sub, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// fileClient is a correct client that saves into a folder of its own.
func (a *attack) fileClient(conn net.Conn, name string) (*dialect.Client, *folder.Folder, error) {
	dir := filepath.Join(a.work.base, "received")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, nil, err
	}
	f, err := folder.Open(dir)
	if err != nil {
		return nil, nil, err
	}
	return dialect.NewClient(conn, dialect.Find(name),
		dialect.Options{Timeout: a.o.Limit, BigEndian: a.o.BigEnd, Folder: f}), f, nil
}

// getFiles gets every sample on one connection and compares.
func getFiles(name string) func(*attack) error {
	return func(a *attack) error {
		if err := a.needsFolder(); err != nil {
			return err
		}
		if err := a.give("mib.bin", mib); err != nil {
			return err
		}
		conn, err := a.dial()
		if err != nil {
			return err
		}
		c, f, err := a.fileClient(conn, name)
		if err != nil {
			return err
		}
		defer f.Close()
		for _, s := range fileSamples {
			fail := &Failure{Sent: text("get %s", s.name), Want: sum(s.data), Belief: oneRecv}
			if s.name == "你好.txt" {
				fail.Belief = charsNotBytes
			}
			r, err := c.Exchange(a.ctx, "get "+s.name)
			if err != nil {
				fail.Got = a.why(err)
				if errors.Is(err, dialect.ErrRefused) {
					fail.Belief = nil
				}
				return fail
			}
			got, err := os.ReadFile(filepath.Join(f.Path(), r.Saved))
			if err != nil {
				return err
			}
			if !bytes.Equal(got, s.data) {
				fail.Got = sum(got)
				return fail
			}
		}
		return nil
	}
}

// getMissing asks for a file that is not there: whatever the answer, the server
// must live on.
func getMissing(name, file string, belief *Belief) func(*attack) error {
	return func(a *attack) error {
		conn, err := a.dial()
		if err != nil {
			return err
		}
		c, f, err := a.fileClient(conn, name)
		if err != nil {
			return err
		}
		defer f.Close()
		r, err := c.Exchange(a.ctx, "get "+file)
		fail := &Failure{Sent: text("get %s", file),
			Want: tx("报头里 size 0，或者关闭连接；服务端活着",
				"a header with size 0, or the connection closed; the server lives"), Belief: belief}
		switch {
		case errors.Is(err, dialect.ErrSilent):
			fail.Got = a.why(err)
			return fail
		case err == nil && r.Header != nil && r.Header.Size > 0:
			fail.Got = tx("给了 %d 字节", "%d bytes were given", r.Header.Size)
			return fail
		}
		leave(conn)
		if a.prog != nil && a.endsSoon() {
			fail.Got = tx("服务端结束了", "the server ended")
			return fail
		}
		return a.servesNext(func(a *attack, conn net.Conn) error { return a.getOne(conn, name) },
			fail)
	}
}

// getOne gets a.txt, as proof that the server serves.
func (a *attack) getOne(conn net.Conn, name string) error {
	c, f, err := a.fileClient(conn, name)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := c.Exchange(a.ctx, "get a.txt"); err != nil {
		return &Failure{Sent: text("get a.txt"), Got: a.why(err)}
	}
	return nil
}

// putMessage is all that a client's put sends.
func putMessage(name string, bigEndian bool, file string, data []byte) (command, framed []byte) {
	md5sum := "xxdxxx"
	if name == "oo" {
		return nil,
			append(dialect.Frame(bigEndian, dialect.PutHeader(file, md5sum, int64(len(data)))),
				data...)
	}
	header := dialect.Superset(file, md5sum, int64(len(data)), "")
	return []byte(dialect.FileCommand("put", file)),
		append(dialect.Frame(bigEndian, header), data...)
}

// putPieces glues the command to the first piece of every schedule: that is how
// the course's own client sends it.
func putPieces(s chaos.Schedule, bigEndian bool, command, framed []byte) [][]byte {
	pieces := s.Pieces(framed, chaos.Find(bigEndian, true, framed))
	if len(pieces) == 0 {
		return nil
	}
	first := append(append([]byte(nil), command...), pieces[0]...)
	return append([][]byte{first}, pieces[1:]...)
}

// putFiles puts the samples, then one file in every schedule, on one connection.
func putFiles(name string) func(*attack) error {
	return func(a *attack) error {
		if err := a.needsFolder(); err != nil {
			return err
		}
		conn, err := a.dial()
		if err != nil {
			return err
		}
		for i, s := range fileSamples {
			if err := a.put(conn, name, "up-"+itoa(i)+"-"+s.name, s.data, chaos.Glued); err != nil {
				return err
			}
		}
		for _, s := range chaos.All[1:] {
			if err := a.put(conn, name, "up-"+s.Name+".txt", []byte("包没有粘，是流没有边界"),
				s); err != nil {
				return err
			}
		}
		return nil
	}
}

// put sends one file and waits until the program has saved it whole. A file gives
// no event when another program has written it, so it is looked at again and again.
func (a *attack) put(conn net.Conn, name, file string, data []byte, s chaos.Schedule) error {
	command, framed := putMessage(name, a.o.BigEnd, file, data)
	pieces := putPieces(s, a.o.BigEnd, command, framed)
	what := tx("put %s，%s", "put %s, %s", file, "").plus(Text{s.Zh, s.En})
	fail := &Failure{Sent: what.plus(text(": %s", quote(pieces[0]))),
		Want: tx("存下 ", "saved: ").plus(sum(data)), Belief: putGlued}
	if s.Name != chaos.Glued.Name {
		fail.Belief = shortRecv
	}
	if name == "oo" && s.Name == chaos.Glued.Name {
		fail.Belief = oneRecv
	}
	if _, err := chaos.Send(a.ctx, conn, pieces); err != nil {
		fail.Got = a.why(err)
		return fail
	}
	deadline := time.Now().Add(a.o.Limit)
	for {
		var got []byte
		found := a.work.find(file, false)
		if len(found) > 0 {
			got, _ = os.ReadFile(found[0]) // may be held by the program for the moment
			if bytes.Equal(got, data) {
				return nil
			}
		}
		over := time.Now().After(deadline)
		if a.prog != nil && a.prog.ended() || over || a.ctx.Err() != nil {
			switch {
			case len(found) == 0:
				fail.Got = tx("没有这个文件", "no such file")
			default:
				fail.Got = sum(got)
			}
			if !over {
				fail.Got = fail.Got.plus(tx("；程序结束了", "; the program ended"))
			}
			return fail
		}
		a.idle(10 * time.Millisecond)
	}
}

// putOutside puts a file with ../ in its name. It must not land outside.
func putOutside(name string) func(*attack) error {
	return func(a *attack) error {
		if err := a.needsFolder(); err != nil {
			return err
		}
		conn, err := a.dial()
		if err != nil {
			return err
		}
		const file = "../../lab-outside.txt"
		command, framed := putMessage(name, a.o.BigEnd, file, []byte("outside"))
		conn.Write(append(command, framed...)) // a server that refuses may have closed already
		fail := &Failure{Sent: text("put %s", file),
			Want: tx("不写到目录外面", "nothing is written outside its folder"), Belief: traversal}
		if half, ok := conn.(interface{ CloseWrite() error }); ok {
			half.CloseWrite()
		}
		f, _ := a.fateOf(conn, a.o.Limit)
		if found := a.work.find("lab-outside.txt", true); len(found) > 0 {
			fail.Got = tx("写到了外面：%s", "written outside: %s",
				quote([]byte(relative(a.work.dir, found[0]))))
			return fail
		}
		if f == ended {
			fail.Got = tx("服务端结束了", "the server ended")
			return fail
		}
		return nil
	}
}

func relative(base, path string) string {
	if r, err := filepath.Rel(base, path); err == nil {
		return r
	}
	return path
}

// hostileHeader sends a put whose header has an impossible length: the server must
// refuse it, stay small and serve the next client.
func hostileHeader(name string, n int32) func(*attack) error {
	return func(a *attack) error {
		conn, err := a.dial()
		if err != nil {
			return err
		}
		command, _ := putMessage(name, a.o.BigEnd, "x.txt", nil)
		message := append(command, chaos.HostileLength(a.o.BigEnd, n)...)
		conn.Write(append(message, `{"cmd": "put", "filename": "x.txt"}`...))
		fail := &Failure{Sent: tx("报头长度 %d", "a header length of %d", n),
			Want: tx("拒绝，关闭这个连接，服务端活着",
				"refused, this connection closed, the server lives"), Belief: trustedLength}
		f, _ := a.fateOf(conn, a.o.Limit)
		if f != closed {
			fail.Got = fateText(f, a.o.Limit)
			return fail
		}
		return a.servesNext(func(a *attack, conn net.Conn) error { return a.getOne(conn, name) },
			fail)
	}
}
