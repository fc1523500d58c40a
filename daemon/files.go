package daemon

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"minissh/daemon/authorized"
	"minissh/protocol"
	"minissh/protocol/files"
	"minissh/protocol/mux"
)

// files copies files to or from this machine (protocol/FILES.md), in a helper process with the account's rights
// (RULES A7). That is so for the daemon's own account as well: a path may hang there too, in a
// network's file system, and what hangs in a process of its own can be killed or left behind. It
// costs one start of a process for each transfer, of whatever size.
func (s *Server) files(ch *mux.Channel, who *peer) *protocol.Reason {
	ch.IgnoreRequests() // a signal means nothing here (FI1)
	request := ch.Request().Files
	if request == nil {
		return refusal(protocol.CodeBadRequest, `an OPEN of files holds "files"`)
	}
	var broken *protocol.Violation
	if errors.As(request.Check(), &broken) {
		return refusal(broken.Code, broken.Message)
	}
	limit := who.grant.Folder
	if limit != nil && !limit.allows(request.Mode) {
		return refusal(protocol.CodeServiceRefused, "this key may not "+request.Mode+" (minissh-files in authorized_keys)")
	}
	h, err := s.startHelper(ch, who, filesHelper)
	if err != nil {
		return refusal(protocol.CodeStartFailed, err.Error())
	}
	return s.throughHelper(ch, who, request, h)
}

// transferBegins says OPENED, and gives what is to be called at the end.
func (s *Server) transferBegins(ch *mux.Channel, who *peer, request *protocol.Files, pid int) func(files.Summary, error) {
	args := []any{"channel", ch.ID(), "mode", request.Mode, "what", clip(what(request), 512)}
	s.tally.noted("Starting transfer", who, "Starting transfer for "+logName(who.user)+" "+from(who.addr), args...)
	started := time.Now()
	ch.Send(protocol.TypeOpened, &protocol.Opened{PID: pid})
	return func(sum files.Summary, err error) {
		args = append(args, "stored", sum.Stored, "skipped", sum.Skipped, "failed", sum.Failed, "bytes", sum.Bytes, "duration_ms", time.Since(started).Milliseconds())
		var broken *protocol.Violation
		if errors.As(err, &broken) {
			ch.Close(broken.Reason())
		} else if err != nil {
			ch.Close(refusal(protocol.CodeInternal, err.Error()))
		}
		if err != nil {
			s.tally.noted("Transfer broken off", who, "Transfer broken off for "+logName(who.user)+" "+from(who.addr), append(args, "error", err.Error())...)
			return
		}
		code := 0
		if sum.Failed > 0 {
			code = 1
		}
		ch.EOF(protocol.TypeStdout)
		ch.EOF(protocol.TypeStderr)
		ch.Send(protocol.TypeExit, &protocol.Exit{How: protocol.HowExited, Code: &code, Duration: time.Since(started).Milliseconds()})
		ch.Close(nil)
		s.tally.noted("Transfer ended", who, "Transfer ended for "+logName(who.user)+" "+from(who.addr), args...)
	}
}

func what(request *protocol.Files) string {
	if request.Mode == protocol.FilesPut {
		return string(request.Target)
	}
	names := make([]string, len(request.Sources))
	for i, name := range request.Sources {
		names[i] = string(name)
	}
	return strings.Join(names, " ")
}

// Folder is what a key may use of the service files, and of this machine (FI12).
type Folder struct {
	Path string // absolute
	Mode string // authorized.FilesRead, FilesWrite or "": both
}

func (f *Folder) allows(mode string) bool {
	switch f.Mode {
	case authorized.FilesRead:
		return mode == protocol.FilesGet
	case authorized.FilesWrite:
		return mode == protocol.FilesPut
	}
	return true
}

// job is a transfer that can begin.
type job struct {
	options files.Options
	limit   *os.Root // nil: no limit
	place   *files.Place
	sources []files.Source
}

func (j *job) close() {
	if j.place != nil {
		j.place.Root.Close()
	}
	if j.limit != nil {
		j.limit.Close()
	}
}

// prepare finds what a request means here, with the rights of this process.
func prepare(request *protocol.Files, home string, limit *Folder) (*job, *protocol.Reason) {
	j := &job{options: files.Options{
		Recursive: request.Recurse, Preserve: request.Preserve, Resume: request.Resume, Checksum: request.Checksum, Sync: request.Sync, Total: request.Total,
		PlainLinks: limit != nil,
	}}
	base := home
	if limit != nil {
		root, err := files.OpenLimit(limit.Path)
		if err != nil {
			return nil, refusal(protocol.CodeNoDirectory, "the folder of this key cannot be opened")
		}
		j.limit, base = root, limit.Path
	}
	if request.Mode == protocol.FilesPut {
		target, err := userPath(string(request.Target), base, j.limit != nil)
		if err == nil {
			if request.Make {
				j.place, err = files.MakePlace(j.limit, target)
			} else {
				j.place, err = files.OpenPlace(j.limit, target, request.Folder)
			}
		}
		if err != nil {
			j.close()
			code := protocol.CodeServiceRefused
			var why *files.Error
			if errors.As(err, &why) && why.Code == files.CodeNotFound {
				code = protocol.CodeNoDirectory
			}
			return nil, refusal(code, protocol.Quote(string(request.Target))+": "+err.Error())
		}
		return j, nil
	}
	for _, source := range request.Sources {
		path, err := userPath(string(source), base, j.limit != nil)
		found := []string{path}
		if err == nil {
			found, err = files.Expand(j.limit, path)
		}
		if err == nil && request.Single && len(found) > 1 {
			err = &files.Error{Code: files.CodeExists, Message: fmt.Sprintf("%d names match, and the target is no folder", len(found))}
		}
		if err != nil {
			j.sources = append(j.sources, files.Source{Path: string(source), Fault: err})
			continue
		}
		for _, one := range found {
			j.sources = append(j.sources, files.Source{Path: one, Limit: j.limit})
		}
	}
	return j, nil
}

// userPath is a path as the user means it: relative ones, and ~, begin at base. limited: the result is below base, and relative to it.
func userPath(name, base string, limited bool) (string, error) {
	switch {
	case name == "" || name == "~":
		name = "."
	case strings.HasPrefix(name, "~/"):
		name = "." + name[1:]
	case name[0] == '~':
		return "", errors.New("~ stands for your own home directory only; name the other one in full, or write ./~… for a file")
	}
	if !limited {
		if filepath.IsAbs(name) {
			return name, nil
		}
		return strings.TrimSuffix(base, string(filepath.Separator)) + string(filepath.Separator) + name, nil // not Join: a "." at the end says something
	}
	if filepath.IsAbs(name) {
		relative, err := filepath.Rel(base, name)
		if err != nil || relative == ".." || strings.HasPrefix(relative, ".."+string(filepath.Separator)) {
			return "", errors.New("this key is limited to another folder")
		}
		if files.Merges(name) {
			relative += string(filepath.Separator) + "."
		}
		return relative, nil
	}
	return name, nil
}

// run is the transfer itself.
func (j *job) run(over files.Stream) (files.Summary, error) {
	if j.place != nil {
		return files.Receive(over.In, over.Out, j.place, j.options, nil)
	}
	return files.Send(over, j.sources, j.options, nil)
}

var errHelper = errors.New("the helper process ended early")

// cutShort turns the end of a stream within something into an error.
func cutShort(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
