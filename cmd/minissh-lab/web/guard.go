package web

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"net"
	"net/http"
	"net/netip"
	"strconv"
)

// TokenHeader carries the token; a browser lets no other origin send it.
const TokenHeader = "X-Lab-Token"

// policy lets the page use its own files and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// newToken is 128 random bits in the alphabet of URLs.
func newToken() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// names are the Host headers that mean us: a page of another name whose address was
// changed to ours (DNS rebinding) shows its own name here.
func names(addr net.Addr) map[string]bool {
	port := strconv.Itoa(addr.(*net.TCPAddr).Port)
	all := map[string]bool{}
	for _, host := range []string{"127.0.0.1", "localhost", "::1",
		addr.(*net.TCPAddr).IP.String()} {
		all[net.JoinHostPort(host, port)] = true
		if port == "80" {
			all[host] = true
		}
	}
	return all
}

// guard refuses what does not come from the lab's own page, and says on every answer
// what a browser may do with it.
func (l *Lab) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		switch origin, site := r.Header.Get("Origin"), r.Header.Get("Sec-Fetch-Site"); {
		case !l.hosts[r.Host]:
			refuse(w, http.StatusMisdirectedRequest, "host", "not the lab's own address")
		case origin != "" && origin != "http://"+r.Host:
			refuse(w, http.StatusForbidden, "origin", "another origin")
		case l.fromElsewhere(site, r):
			refuse(w, http.StatusForbidden, "site", "another site")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// fromElsewhere judges Sec-Fetch-Site. Following a link to the page from anywhere is
// harmless and what a shared link is for; everything else is for the page alone.
func (l *Lab) fromElsewhere(site string, r *http.Request) bool {
	switch site {
	case "", "same-origin", "none":
		return false
	}
	return r.URL.Path != "/" || r.Header.Get("Sec-Fetch-Mode") != "navigate" ||
		r.Header.Get("Sec-Fetch-Dest") != "document"
}

// allowed lets through who shows the token.
func (l *Lab) allowed(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get(TokenHeader)), []byte(l.token)) != 1 {
			refuse(w, http.StatusUnauthorized, "token",
				"the link that the lab printed holds a token; this request has none, or an old one")
			return
		}
		next(w, r)
	}
}

// isLoopback says whether host is this machine alone: localhost, 127.0.0.0/8 or ::1.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback() && ip.Zone() == ""
}
