package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"runtime"

	"minissh/cmd/minissh-lab/web/listing"
	"minissh/cmd/minissh-lab/web/live"
	"minissh/cmd/minissh-lab/web/record"
)

// problem is the answer to what is refused.
type problem struct {
	Code  string `json:"code"` // a word that the page knows
	Error string `json:"error"`
}

func refuse(w http.ResponseWriter, status int, code, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(problem{code, text}) // a browser that has gone needs no answer
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(value)
}

// start is what the page needs to know.
func (l *Lab) start(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{
		"presets": Presets(), "framings": record.Framings, "texts": record.Texts,
		"commands": live.Commands(), "system": runtime.GOOS, "recorded": l.Recorded != nil,
		"limits": map[string]int{"messages": record.MaxMessages, "message": record.MaxMessage,
			"recv": record.MaxRecv, "gap": record.MaxGap, "delay": record.MaxDelay,
			"latency": record.MaxLatency},
	})
}

// recorded is the run of a learner's own programs that this lab shows.
func (l *Lab) recorded(w http.ResponseWriter, _ *http.Request) {
	if l.Recorded == nil {
		refuse(w, http.StatusNotFound, "recorded", "nothing was recorded")
		return
	}
	runs, grows := l.Recorded()
	answer(w, map[string]any{"runs": runs, "grows": grows})
}

// run plays a setting.
func (l *Lab) run(w http.ResponseWriter, r *http.Request) {
	var s record.Setting
	if !take(w, r, &s) {
		return
	}
	if err := s.Check(); err != nil {
		refuse(w, http.StatusBadRequest, "setting", err.Error())
		return
	}
	l.limited(w, r, func(ctx context.Context) (any, error) {
		sides, err := record.Run(ctx, s)
		listings := make([]listing.Listing, len(sides))
		for i, side := range sides {
			listings[i] = listing.For(side, s)
		}
		return map[string]any{"setting": s, "sides": sides, "listings": listings}, err
	})
}

// live runs a command of the list.
func (l *Lab) live(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Command string `json:"command"`
	}
	if !take(w, r, &asked) {
		return
	}
	if _, ok := live.Find(asked.Command); !ok {
		refuse(w, http.StatusBadRequest, "command", live.ErrUnknown.Error())
		return
	}
	l.limited(w, r, func(ctx context.Context) (any, error) { return live.Run(ctx, asked.Command) })
}

// take reads a small JSON object and nothing else.
func take(w http.ResponseWriter, r *http.Request, into any) bool {
	return takeUpTo(w, r, into, maxBody)
}

// takeUpTo is take with another bound.
func takeUpTo(w http.ResponseWriter, r *http.Request, into any, most int64) bool {
	if r.Header.Get("Content-Type") != "application/json" {
		refuse(w, http.StatusUnsupportedMediaType, "body", "application/json is wanted")
		return false
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, most))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("more than one object")
		}
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "body", "one small JSON object is wanted")
		return false
	}
	return true
}

// limited does the work when few others are at it, and not for ever.
func (l *Lab) limited(w http.ResponseWriter, r *http.Request,
	work func(context.Context) (any, error)) {
	select {
	case l.runs <- struct{}{}:
		defer func() { <-l.runs }()
	default:
		refuse(w, http.StatusTooManyRequests, "busy", "other runs are under way")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), runLimit)
	defer cancel()
	value, err := work(ctx)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "run", err.Error())
		return
	}
	answer(w, value)
}
