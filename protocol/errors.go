package protocol

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Code names a reason in ERROR, CLOSE and GOODBYE frames (CO4).
type Code string

// OnlyThisKey is all that our daemon says with CodeKeyNotAuthorized to those whose key is not
// listed, be it the account or the key (ID6).
const OnlyThisKey = "this key may not log in as this user"

// The codes of CO4.
const (
	CodeBadFrame        Code = "bad_frame"
	CodeFrameTooLarge   Code = "frame_too_large"
	CodeUnknownType     Code = "unknown_type"
	CodeUnexpectedFrame Code = "unexpected_frame"
	CodeBadJSON         Code = "bad_json"

	CodeUnknownChannel  Code = "unknown_channel"
	CodeChannelReused   Code = "channel_reused"
	CodeTooManyChannels Code = "too_many_channels"
	CodeBadWindow       Code = "bad_window"
	CodeWindowExceeded  Code = "window_exceeded"

	CodeBadHello            Code = "bad_hello"
	CodeUnsupportedProtocol Code = "unsupported_protocol"
	CodeKeyNotAuthorized    Code = "key_not_authorized"
	CodeLoginTimeout        Code = "login_timeout"
	CodeTooManySessions     Code = "too_many_sessions"
	CodeTooManyFailures     Code = "too_many_failures"
	CodePairingRefused      Code = "pairing_refused"

	CodeStaleEpoch     Code = "stale_epoch"
	CodeSessionUnknown Code = "session_unknown"
	CodeSessionExpired Code = "session_expired"
	CodeSessionEnded   Code = "session_ended"
	CodeResumeMismatch Code = "resume_mismatch"
	CodeBadAck         Code = "bad_ack"

	CodeShuttingDown Code = "shutting_down"
	CodeEndedByAdmin Code = "ended_by_admin"
	CodeIdleTimeout  Code = "idle_timeout"
	CodeInternal     Code = "internal"

	CodeUnknownService  Code = "unknown_service"
	CodeServiceRefused  Code = "service_refused"
	CodeBadRequest      Code = "bad_request"
	CodeStartFailed     Code = "start_failed"
	CodeNoDirectory     Code = "no_directory"
	CodeTooManyCommands Code = "too_many_commands"
	CodeCancelled       Code = "cancelled"
	CodeBadRecord       Code = "bad_record"
	CodeBusy            Code = "busy"

	CodeConnectFailed    Code = "connect_failed"
	CodeConnectionBroken Code = "connection_broken"
	CodeListenFailed     Code = "listen_failed"

	CodeNoJob     Code = "no_job"
	CodeJobExists Code = "job_exists"
	CodeJobLost   Code = "job_lost"
	CodeTakenOver Code = "taken_over"
	CodeDetached  Code = "detached"
)

// Violation is what this end says: the peer broke a rule, or is refused. It is sent as an ERROR
// frame (FR7).
type Violation struct {
	Code    Code
	Message string
	Key     string // with CodeKeyNotAuthorized: a fingerprint that would be accepted
}

// Violate makes a *Violation.
func Violate(code Code, format string, args ...any) *Violation {
	return &Violation{Code: code, Message: fmt.Sprintf(format, args...)}
}

func (v *Violation) Error() string { return string(v.Code) + ": " + v.Message }

// Reason is v as the payload of an ERROR frame.
func (v *Violation) Reason() *Reason {
	return &Reason{Code: v.Code, Message: clip(v.Message), Key: v.Key}
}

// RemoteError is what the peer said in an ERROR, CLOSE or GOODBYE frame. Its text comes from the
// peer and is not to be trusted: Error quotes it.
type RemoteError struct{ Reason }

func (e *RemoteError) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("the other side said %s", e.Code.plain())
	}
	return fmt.Sprintf("the other side said %s: %s", e.Code.plain(), Quote(clip(e.Message)))
}

// plain is c if it has the form of a code, else CodeInternal (CO2).
func (c Code) plain() Code {
	if c == "" || len(c) > MaxCode {
		return CodeInternal
	}
	for _, r := range []byte(c) {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' {
			return CodeInternal
		}
	}
	return c
}

// clip keeps text for people within MaxMessage bytes, cut at a character (CO3), and without NUL,
// which no string may hold (JS2).
func clip(s string) string {
	s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	if len(s) <= MaxMessage {
		return s
	}
	n := MaxMessage - len("…")
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
