package service

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"minissh/daemon/access"
	"minissh/daemon/logbook"
	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/files"
)

// filesHelper is this program as the helper that copies files for an account. Its standard input
// begins with an order, its standard output with a report that it can begin; then both are the
// streams of the transfer. Its standard error ends with a report on how it went.
const filesHelper = "files"

func init() { process.Helper(filesHelper, beFilesHelper) }

// order is what a helper is to do.
type order struct {
	Files  *protocol.Files `json:"files"`
	Home   protocol.Bytes  `json:"home"`
	Folder protocol.Bytes  `json:"folder,omitempty"` // the key's; none: no limit
}

// report is what a helper says: before the transfer why there is none, after it how it went.
type report struct {
	Refused *protocol.Reason `json:"refused,omitempty"`
	Broken  *protocol.Reason `json:"broken,omitempty"`
	Sum     files.Summary    `json:"sum"`
}

// beFilesHelper is the helper's whole life.
func beFilesHelper([]string) int {
	// SIGPIPE must not end it before all that came is in place
	process.ResetSignals()
	var o order
	if err := process.ReadMessage(os.Stdin, process.MaxOrder, &o); err != nil || o.Files == nil {
		fmt.Fprintf(os.Stderr, "the order: %v\n", err)
		return 2
	}
	var limit *access.Folder
	if len(o.Folder) > 0 {
		limit = &access.Folder{Path: string(o.Folder)}
	}
	j, refused := prepare(o.Files, process.HomeInside(string(o.Home)), limit)
	if err := process.WriteMessage(os.Stdout, report{Refused: refused}); err != nil ||
		refused != nil {
		return 2
	}
	sum, err := j.run(files.Stream{In: os.Stdin, Out: os.Stdout,
		Abort: func() { os.Stdin.Close(); os.Stdout.Close() }})
	j.close()
	end := report{Sum: sum}
	if broken, ours := err.(*protocol.Violation); ours {
		end.Broken = broken.Reason()
	} else if errors.Is(err, io.ErrUnexpectedEOF) {
		// FI13
		end.Broken = refusal(protocol.CodeBadRecord,
			"the stream of records ended before its last one")
	} else if err != nil {
		end.Broken = refusal(protocol.CodeInternal, err.Error())
	}
	process.WriteMessage(os.Stderr, end)
	return 0
}

// throughHelper joins a channel to a helper.
func throughHelper(h *helper, request *protocol.Files) *protocol.Reason {
	var feeding sync.WaitGroup
	defer feeding.Wait() // ends with the channel, or when the helper takes no more
	defer h.end()
	o := order{Files: request, Home: protocol.Bytes(h.who.Account.Home)}
	if limit := h.who.Grant.Folder; limit != nil {
		o.Folder = protocol.Bytes(limit.Path)
	}
	var ready report
	err := process.WriteMessage(h.Stdin, o)
	if err == nil {
		err = process.ReadMessage(h.Stdout, process.MaxAnswer, &ready)
	}
	if err == nil && ready.Refused != nil {
		return itsWords(ready.Refused)
	}
	if err != nil && gone(h.ch) != "" {
		return cancelled
	}
	if err != nil {
		return refusal(protocol.CodeStartFailed,
			"the helper that copies files for this account gave "+
				"no answer; something on the way to the files may hang")
	}
	h.answered()
	end := h.transferBegins(request)
	feeding.Go(func() {
		defer h.Stdin.Close()
		h.Stdin.Loud()
		io.Copy(h.Stdin, h.ch.Reader(protocol.TypeStdin))
	})
	h.ch.Copy(protocol.TypeStdout, h.Stdout, h.Stdout.Loud)
	h.Stdout.Close() // the helper learns this way that the client is gone, and from its input
	h.shouldEnd()
	var last report
	if process.ReadMessage(h.Stderr, process.MaxAnswer, &last) != nil {
		last = report{Broken: refusal(protocol.CodeInternal, "the helper process ended early")}
	}
	if last.Broken != nil {
		broken := itsWords(last.Broken)
		end(last.Sum, &protocol.Violation{Code: broken.Code, Message: broken.Message})
	} else {
		end(last.Sum, nil)
	}
	return nil
}

// itsWords is a helper's reason, which the account's other processes may have influenced.
func itsWords(reason *protocol.Reason) *protocol.Reason {
	return &protocol.Reason{Code: protocol.Code(logbook.Shorten(string(reason.Code), 64)),
		Message: logbook.Shorten(reason.Message, 1024)}
}
