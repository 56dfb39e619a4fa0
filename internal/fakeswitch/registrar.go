// Package fakeswitch has what stands beside xmlcurld where there is none of it: a FreeSWITCH as its keeper sees it, and a
// carrier at which gateways register. Tests and benchmarks are built from it, the program is not.
package fakeswitch

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync"
)

// Registrar is a carrier at which a gateway registers, and which answers every call. It keeps one binding.
type Registrar struct {
	conn net.PacketConn

	mu       sync.Mutex
	password string
	binding  string   // the contact; empty: none
	log      []string // REGISTERs that were taken: "password expires"
	calls    int      // answered and not hung up
}

// RegistrarRealm is what a Registrar challenges for.
const RegistrarRealm = "carrier.example"

// NewRegistrar listens at a free UDP port of ip until it is closed.
func NewRegistrar(ip, password string) (*Registrar, error) {
	conn, err := net.ListenPacket("udp", net.JoinHostPort(ip, "0"))
	if err != nil {
		return nil, err
	}
	r := &Registrar{conn: conn, password: password}
	go r.listen()
	return r, nil
}

// Close ends it.
func (r *Registrar) Close() { _ = r.conn.Close() }

// Address is where it listens, host:port.
func (r *Registrar) Address() string { return r.conn.LocalAddr().String() }

// SetPassword changes what it takes from now on.
func (r *Registrar) SetPassword(password string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.password = password
}

// Get returns the contact that is registered, if one is; the REGISTERs that were taken, each "password expires"; and how
// many calls are up.
func (r *Registrar) Get() (binding string, log []string, calls int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.binding, append([]string{}, r.log...), r.calls
}

func (r *Registrar) listen() {
	buffer := make([]byte, 64<<10)
	for {
		n, from, err := r.conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		if answer := r.answer(string(buffer[:n])); answer != "" {
			_, _ = r.conn.WriteTo([]byte(answer), from)
		}
	}
}

func (r *Registrar) answer(message string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	method, _, _ := strings.Cut(message, " ")
	status, extra, body := "200 OK", "", ""
	switch method {
	case "REGISTER":
		status, extra = r.register(message)
	case "INVITE":
		r.calls++
		host, port, _ := net.SplitHostPort(r.Address())
		extra = "Contact: <sip:" + r.Address() + ">\r\nContent-Type: application/sdp\r\n"
		body = fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 %[1]s\r\ns=-\r\nc=IN IP4 %[1]s\r\nt=0 0\r\nm=audio %[2]s RTP/AVP 0\r\n", host, port)
	case "BYE":
		r.calls--
	case "ACK", "SIP/2.0":
		return ""
	}
	var b strings.Builder
	b.WriteString("SIP/2.0 " + status + "\r\n")
	for _, line := range strings.Split(message, "\r\n") {
		name, _, _ := strings.Cut(line, ":")
		switch strings.ToLower(name) {
		case "via", "from", "call-id", "cseq":
			b.WriteString(line + "\r\n")
		case "to":
			if !strings.Contains(line, ";tag=") {
				line += ";tag=registrar"
			}
			b.WriteString(line + "\r\n")
		case "":
			fmt.Fprintf(&b, "%sContent-Length: %d\r\n\r\n%s", extra, len(body), body)
			return b.String()
		}
	}
	return ""
}

var (
	digestField   = regexp.MustCompile(`(\w+)="?([^",]*)"?`)
	expiresHeader = regexp.MustCompile(`(?i)\r\nExpires: *(\d+)`)
	contactHeader = regexp.MustCompile(`(?i)\r\nContact: *([^\r]*)`)
)

func (r *Registrar) register(message string) (status, extra string) {
	_, authorization, ok := strings.Cut(message, "\r\nAuthorization: Digest ")
	if !ok {
		return "401 Unauthorized", `WWW-Authenticate: Digest realm="` + RegistrarRealm + `", nonce="n", algorithm=MD5` + "\r\n"
	}
	authorization, _, _ = strings.Cut(authorization, "\r\n")
	fields := map[string]string{}
	for _, m := range digestField.FindAllStringSubmatch(authorization, -1) {
		fields[m[1]] = m[2]
	}
	expires := expiresHeader.FindStringSubmatch(message)[1]
	want := hash(hash(fields["username"]+":"+RegistrarRealm+":"+r.password) + ":n:" + hash("REGISTER:"+fields["uri"]))
	// A registrar takes an end of a registration with the former password for the account's, too: it may be told of the
	// new one while the old one's dialog lives.
	if fields["response"] != want && expires != "0" {
		return "403 Forbidden", ""
	}
	contact := contactHeader.FindStringSubmatch(message)[1]
	if r.binding = contact; expires == "0" {
		r.binding = ""
	}
	r.log = append(r.log, r.password+" "+expires)
	return "200 OK", "Contact: " + contact + "\r\nExpires: " + expires + "\r\n"
}

func hash(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}
