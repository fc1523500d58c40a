package service

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"minissh/daemon/access"
	"minissh/daemon/authorized"
	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/files"
	"minissh/protocol/mux"
)

// copying is the service files: it copies files to or from this machine (protocol/FILES.md), in a
// helper process with the account's rights (RULES A7). The daemon's own account has one too: a path
// may hang there as well, in a network's file system, and a process that hangs can be killed or
// left alone. It costs the start of one process for each transfer.
type copying struct{}

func (copying) Key() authorized.Service { return authorized.Files }

func (copying) Serve(h *Host, ch *mux.Channel, who *access.Client) *protocol.Reason {
	ch.IgnoreRequests() // a signal means nothing here (FI1)
	open := ch.Request()
	request := open.Files
	if request == nil {
		return refusal(protocol.CodeBadRequest, `an OPEN of files holds "files"`)
	}
	for _, err := range []error{open.CheckNumbers(), request.Check()} {
		if broken, ok := errors.AsType[*protocol.Violation](err); ok {
			return refusal(broken.Code, broken.Message)
		}
	}
	if limit := who.Grant.Folder; limit != nil && !limit.Allows(request.Mode) {
		return refusal(protocol.CodeServiceRefused, "this key may not "+request.Mode+
			" (minissh-files in authorized_keys)")
	}
	helper, reason := h.startHelper(ch, who, func() (*process.Process, error) {
		return process.StartSelf(who.Account, filesHelper)
	})
	if reason != nil {
		return reason
	}
	return throughHelper(helper, request)
}

// transferBegins sends OPENED, and returns what to call at the end.
func (h *helper) transferBegins(request *protocol.Files) func(files.Summary, error) {
	args := []any{"channel", h.ch.ID(), "mode", request.Mode, "what",
		what(request)}
	h.host.noted(h.who, "Starting transfer", args...)
	started := time.Now()
	h.ch.Send(protocol.TypeOpened, &protocol.Opened{PID: h.PID})
	return func(sum files.Summary, err error) {
		spent := time.Since(started).Milliseconds()
		args = append(args, "stored", sum.Stored, "skipped", sum.Skipped, "failed", sum.Failed,
			"bytes", sum.Bytes, "duration_ms", spent)
		exit := &protocol.Exit{How: protocol.HowExited, Code: new(int), Duration: spent}
		told := "Transfer ended"
		switch unwanted := gone(h.ch); {
		case err != nil && unwanted != "": // the stream broke off for this reason (CH9)
			exit.How, exit.Code = unwanted, nil
			told, args = "Transfer broken off", append(args, "how", unwanted)
		case err != nil:
			broken, ok := errors.AsType[*protocol.Violation](err)
			if !ok {
				broken = protocol.Violate(protocol.CodeInternal, "%v", err)
			}
			h.ch.Close(broken.Reason())
			h.host.noted(h.who, "Transfer broken off", append(args, "error", err.Error())...)
			return
		case sum.Failed > 0:
			*exit.Code = 1
		}
		h.ch.End(exit)
		h.host.noted(h.who, told, args...)
	}
}

func what(request *protocol.Files) string {
	if request.Mode == protocol.FilesPut {
		return string(request.Target)
	}
	return joined(request.Sources)
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
func prepare(request *protocol.Files, home string, limit *access.Folder) (*job, *protocol.Reason) {
	j := &job{options: files.Options{
		Recursive: request.Recurse, Preserve: request.Preserve, Resume: request.Resume,
		Checksum: request.Checksum, Sync: request.Sync, Total: request.Total,
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
			if why, ok := errors.AsType[*files.Error](err); ok && why.Code == files.CodeNotFound {
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
			err = &files.Error{Code: files.CodeExists,
				Message: fmt.Sprintf("%d names match, and the target is not a folder", len(found))}
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

// userPath is a path as the user means it: relative ones, and ~, start at base. limited: the result
// is below base, and relative to it.
func userPath(name, base string, limited bool) (string, error) {
	switch {
	case name == "" || name == "~":
		name = "."
	case strings.HasPrefix(name, "~/"):
		name = "." + name[1:]
	case name[0] == '~':
		return "", errors.New("~ is your own home directory only; name the other one in " +
			"full, or write ./~… for a file")
	}
	const slash = string(filepath.Separator)
	switch {
	case limited && filepath.IsAbs(name):
		relative, err := filepath.Rel(base, name)
		if err != nil || relative == ".." || strings.HasPrefix(relative, ".."+slash) {
			return "", errors.New("this key is limited to another folder")
		}
		if files.Merges(name) {
			relative += slash + "."
		}
		return relative, nil
	case limited, filepath.IsAbs(name):
		return name, nil
	}
	// not Join: a "." at the end has a meaning
	return strings.TrimSuffix(base, slash) + slash + name, nil
}

// run is the transfer itself.
func (j *job) run(over files.Stream) (files.Summary, error) {
	if j.place != nil {
		return files.Receive(over.In, over.Out, j.place, j.options, nil)
	}
	return files.Send(over, j.sources, j.options, nil)
}
