package dialect

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"minissh/cmd/minissh-lab/folder"
	"minissh/cmd/minissh-lab/speak"
)

// errFileUsage is a line that is neither get nor put.
var errFileUsage = fmt.Errorf("%w: type `get NAME` or `put NAME`", ErrLocal)

// local is a file that is about to be sent.
type local struct {
	*os.File
	name, md5 string
	size      int64
}

// open opens a file of the folder and sums it up.
func (w *wire) open(name string) (*local, error) {
	if w.o.Folder == nil {
		return nil, fs.ErrNotExist
	}
	f, size, err := w.o.Folder.Read(name)
	if err != nil {
		return nil, err
	}
	sum := md5.New()
	if _, err = io.CopyN(sum, f, size); err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &local{f, name, hex.EncodeToString(sum.Sum(nil)), size}, nil
}

// openLocal is open at the client, where a failure sends nothing.
func (w *wire) openLocal(name string) (*local, error) {
	f, err := w.open(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLocal, err)
	}
	return f, nil
}

// sendFile answers a get: header and file, or a header with size 0 and an error
// where the course's server would die.
func (w *wire) sendFile(name string) error {
	f, err := w.open(name)
	if err != nil {
		zh, en, _, _ := Explain(err)
		w.note("不给文件 "+speak.Quote([]byte(name))+"："+zh, "no file "+speak.Quote([]byte(name))+
			": "+en)
		return w.sendNoFile(name, en)
	}
	defer f.Close()
	if err := w.reply(Frame(w.o.BigEndian, Superset(name, f.md5, f.size, ""))); err != nil {
		return err
	}
	return w.sendBytes(f)
}

// sendNoFile answers with a header only. The name goes back cut to a length at
// which the header stays small.
func (w *wire) sendNoFile(name, why string) error {
	if folder.Check(name) != nil {
		name = ""
	}
	return w.reply(Frame(w.o.BigEndian, Superset(name, "", 0, why)))
}

// sendBytes sends the file's announced number of bytes.
func (w *wire) sendBytes(f *local) error {
	buf := make([]byte, 32*1024)
	for left := f.size; left > 0; {
		n, err := f.Read(buf[:min(left, int64(len(buf)))])
		if n > 0 {
			if err := w.send(buf[:n]); err != nil {
				return err
			}
			left -= int64(n)
		} else if err != nil {
			return fmt.Errorf("the file became shorter while it was sent: %w", err)
		}
	}
	return nil
}

// sendLocal is a client's put after its command: header and file, no answer.
func (w *wire) sendLocal(f *local, header []byte) (*Reply, error) {
	if err := w.send(Frame(w.o.BigEndian, header)); err != nil {
		return nil, err
	}
	if err := w.sendBytes(f); err != nil {
		return nil, err
	}
	return &Reply{Sent: f.size}, nil
}

// gap passes the time between a put's command and its header.
func (w *wire) gap() error {
	if w.o.Gap != nil {
		return w.o.Gap(w.ctx)
	}
	return w.wait(w.o.Pace)
}

// savePut takes the file of a put at the server. There is no answer that could say
// why one is refused: its bytes are passed over, and the log says it.
func (w *wire) savePut(header *Header) error {
	if header.Size > folder.MaxFile {
		return &LengthError{N: header.Size, Max: folder.MaxFile}
	}
	saved, err := w.save(header.Name, header.Size)
	switch {
	case err == nil:
		w.note(fmt.Sprintf("已保存 %s，%d 字节", speak.Quote([]byte(saved)), header.Size),
			fmt.Sprintf("saved %s, %d bytes", speak.Quote([]byte(saved)), header.Size))
	case errors.Is(err, ErrRefused):
		zh, en, _, _ := Explain(errors.Unwrap(err))
		w.note("没有保存 "+speak.Quote([]byte(header.Name))+"："+zh,
			"not saved "+speak.Quote([]byte(header.Name))+": "+en)
		return nil
	}
	return err
}

// recvFile takes the answer to a get and saves it under the name that was asked
// for: the name in the header is the server's to choose, and open() of it is how
// the course's clients are written to from outside.
func (w *wire) recvFile(asked string) (*Reply, error) {
	header, err := w.recvHeader()
	if err != nil {
		return nil, err
	}
	reply := &Reply{Header: header}
	if header.Err != "" && header.Size == 0 {
		return reply, fmt.Errorf("%w: %q", ErrRefused, header.Err)
	}
	if header.Size > w.o.MaxData {
		return reply, &LengthError{N: header.Size, Max: w.o.MaxData}
	}
	reply.Saved, err = w.save(folder.Base(asked), header.Size)
	if cause := (*saveError)(nil); errors.As(err, &cause) {
		err = fmt.Errorf("%w: %w", ErrLocal, cause.err)
	}
	return reply, err
}

// saveError is a file that was refused at this end; the connection is whole.
type saveError struct{ err error }

func (e *saveError) Error() string        { return e.err.Error() }
func (e *saveError) Unwrap() error        { return e.err }
func (e *saveError) Is(target error) bool { return target == ErrRefused }

// save writes the next size bytes of the connection to a new file. When the folder
// refuses it, the bytes are passed over all the same, so that the next message
// begins where it should, and the error is a *saveError.
func (w *wire) save(name string, size int64) (string, error) {
	data := &io.LimitedReader{R: &wireReader{w: w}, N: size}
	var saved string
	err := error(fs.ErrPermission)
	if w.o.Folder != nil {
		saved, err = w.o.Folder.Save(name, size, data)
	}
	if err == nil {
		return saved, nil
	}
	if lost := data.R.(*wireReader).err; lost != nil {
		return "", lost
	}
	if _, drained := io.Copy(io.Discard, data); drained != nil || data.N > 0 {
		return "", errors.Join(drained, io.ErrUnexpectedEOF)
	}
	return "", &saveError{err}
}

// wireReader is the connection as an io.Reader; err is how it ended.
type wireReader struct {
	w   *wire
	err error
}

func (r *wireReader) Read(p []byte) (int, error) {
	b, err := r.w.recv(len(p))
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		r.err = err
	}
	return copy(p, b), err
}
