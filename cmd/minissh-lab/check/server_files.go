package check

import (
	"bytes"
	"crypto/md5"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"minissh/cmd/minissh-lab/chaos"
	"minissh/cmd/minissh-lab/check/cause"
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

// small is what a program saves at once, in bytes: where it does not, how it came is the reason.
const small = 1000

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
		for i, s := range fileSamples {
			fail := &Failure{Sent: text("get %s", s.name), Want: sum(s.data)}
			conn.rewind()
			r, err := c.Exchange(a.ctx, "get "+s.name)
			if err != nil {
				fail.Got = a.why(err)
				fail.proves(cause.Message(cause.Header, a.o.BigEnd, conn.drain(), s.data, -1))
				if i > 0 {
					return a.asGBK(name, s.name, fail)
				}
				return a.hasGet(name, fail)
			}
			got, err := os.ReadFile(filepath.Join(f.Path(), r.Saved))
			if err != nil {
				return err
			}
			if !bytes.Equal(got, s.data) {
				fail.Got = sum(got)
				fail.proves(cause.Message(cause.Header, a.o.BigEnd, conn.drain(), s.data, -1))
				return a.asGBK(name, s.name, fail)
			}
			if err := a.nothingMore(c, "get "+s.name, expected{string(s.data), -1}); err != nil {
				return err
			}
		}
		return nil
	}
}

// putOne puts a file, as proof that the server serves.
func (a *attack) putOne(conn *tape, name string) error {
	return a.put(conn, name, "lab-one.txt", []byte("one"), chaos.AfterLength)
}

// getMissing asks for a file that is not there: whatever the answer, the server must live on.
func getMissing(name string) func(*attack) error {
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
		r, err := c.Exchange(a.ctx, "get nosuch.txt")
		fail := &Failure{Sent: text("get nosuch.txt"),
			Want: tx("报头里 size 是 0，或者关闭连接；服务端不能退出",
				"a header with size 0, or the connection closed; the server lives")}
		switch {
		case errors.Is(err, dialect.ErrSilent):
			fail.Got = a.why(err)
			return fail
		case err == nil && r.Header != nil && r.Header.Size > 0:
			fail.Got = tx("给了 %d 字节", "%d bytes were given", r.Header.Size)
			return fail
		}
		leave(conn)
		return a.servesNext(func(a *attack, conn net.Conn) error { return a.getOne(conn, name) },
			fail)
	}
}

// getOutside asks for a file outside of the server's folder, by each way out. Its bytes must not
// come, and the server must live.
func getOutside(name string) func(*attack) error {
	return func(a *attack) error {
		if err := a.needsFolder(); err != nil {
			return err
		}
		const file, secret = "lab-secret.txt", "this is nobody's business"
		above := filepath.Dir(filepath.Dir(a.work.dir))
		for _, dir := range []string{a.work.base, above, filepath.Dir(a.work.dir)} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(secret), 0o644); err != nil {
				return err
			}
		}
		for _, asked := range []string{"../../" + file, "../../../" + file,
			filepath.ToSlash(filepath.Join(above, file))} {
			fail := &Failure{Sent: text("get %s", asked),
				Want: tx("不给，服务端活着", "refused, and the server lives")}
			conn, err := a.dial()
			if err != nil {
				return err
			}
			c, f, err := a.fileClient(conn, name)
			if err != nil {
				return err
			}
			c.Exchange(a.ctx, "get "+asked) // what came is what counts
			f.Close()
			if bytes.Contains(conn.drain(), []byte(secret)) {
				fail.Got = tx("给了：%s", "given: %s", quote([]byte(secret)))
				fail.proves(cause.TraversalGet)
				return fail
			}
			leave(conn)
			if err := a.servesNext(func(a *attack, conn net.Conn) error {
				return a.getOne(conn, name)
			}, fail); err != nil {
				return err
			}
		}
		return nil
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
		other, dialed := a.dial() // it may have no get
		if dialed == nil && a.putOne(other, name) == nil {
			return nil
		}
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
			err := a.put(conn, name, "up-"+itoa(i)+"-"+s.name, s.data, chaos.Glued)
			if err != nil && len(s.data) < small {
				return a.putApart(name, err)
			}
			if err != nil {
				return err
			}
		}
		for _, s := range chaos.All[1:] {
			if err := a.put(conn, name, "up-"+s.Name+".txt", []byte("包没有粘，是流没有边界"),
				s); err != nil {
				if f, ok := err.(*Failure); ok && !f.Proven && s.Name != chaos.ByteByByte.Name {
					f.proves(cause.ShortRecv)
				}
				return err
			}
		}
		return nil
	}
}

// put sends one file and waits until the program has saved it whole.
func (a *attack) put(conn *tape, name, file string, data []byte, s chaos.Schedule) error {
	command, framed := putMessage(name, a.o.BigEnd, file, data)
	pieces := putPieces(s, a.o.BigEnd, command, framed)
	what := tx("put %s，%s", "put %s, %s", file, "").Plus(Text{Zh: s.Zh, En: s.En})
	fail := &Failure{Sent: what.Plus(text(": %s", quote(pieces[0]))),
		Want: tx("存下 ", "saved: ").Plus(sum(data))}
	if _, err := chaos.Send(a.ctx, conn.Conn, pieces); err != nil {
		fail.Got = a.why(err)
		return fail
	}
	_, err := a.saved(file, data, fail)
	return err
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
			Want: tx("不写到目录外面", "nothing is written outside its folder")}
		closeWrite(conn)
		f, _ := a.fateOf(conn, a.o.Limit)
		if found := a.work.find("lab-outside.txt", true); len(found) > 0 {
			fail.Got = tx("写到了外面：%s", "written outside: %s",
				quote([]byte(relative(a.work.dir, found[0]))))
			fail.proves(cause.TraversalPut)
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
				"refused, this connection closed, the server lives")}
		a.hostile = true
		f, _ := a.fateOf(conn, a.o.Limit)
		if f != closed {
			fail.Got = fateText(f, a.o.Limit)
			if f != ended {
				fail.Belief = cause.TrustedLength // unless something else explains it
			}
			return fail
		}
		if t := a.traceAtRest(); t != nil && t.Belief() == cause.TrustedLength {
			fail.Got = tx("不是拒绝，而是程序因为这个长度崩溃了",
				"not refused: it crashed of that length")
			return fail
		}
		return a.servesNext(func(a *attack, conn net.Conn) error { return a.getOne(conn, name) },
			fail)
	}
}
