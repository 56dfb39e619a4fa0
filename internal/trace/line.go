package trace

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"

	"xmlcurld/internal/mask"
	"xmlcurld/xmlcurl"
)

// Line is one line of a trace. Besides the time it has one of the others.
type Line struct {
	Time     time.Time  `json:"time"`               // when the request came, else when the line was written
	Until    *time.Time `json:"until,omitempty"`    // first line: when the trace will end
	Exchange *Exchange  `json:"exchange,omitempty"` // a request and its answer
	Lost     int        `json:"lost,omitempty"`     // exchanges that are missing here, because the trace was read too slowly
	End      string     `json:"end,omitempty"`      // last line: why the trace ends
}

// EndOfTime is the End of a trace that ran as long as it was ordered.
const EndOfTime = "the time is over"

// Exchange is a request and its answer, without secrets.
type Exchange struct {
	Node        string            `json:"node"`
	Says        string            `json:"says,omitempty"` // the other node that it says it is
	Section     string            `json:"section"`
	Kind        string            `json:"kind,omitempty"`    // finer than the section, as in the metrics
	Asked       string            `json:"asked,omitempty"`   // the file name of a document, or a domain
	Number      string            `json:"number,omitempty"`  // that was called
	Context     string            `json:"context,omitempty"` // in which it was
	User        string            `json:"user,omitempty"`    // id@domain: who is looked up, or calls
	Fields      map[string]string `json:"fields,omitempty"`  // others of the request
	Result      string            `json:"result"`            // as in the metrics
	Status      int               `json:"status"`            // of HTTP
	TookMS      float64           `json:"took_ms"`
	Stale       bool              `json:"stale"`           // the answer was made from older rows
	AgeSeconds  float64           `json:"age_s,omitempty"` // of a stale one's rows
	Cause       string            `json:"cause,omitempty"` // why it is stale
	Error       string            `json:"error,omitempty"` // why nothing was found
	NodeUnknown bool              `json:"node_unknown,omitempty"`
	Withheld    []string          `json:"withheld,omitempty"` // what rows say that is left out of the answer
	Bytes       int               `json:"bytes"`              // of the answer
	Cut         bool              `json:"cut,omitempty"`      // only the answer's beginning is shown
	Answer      string            `json:"answer"`
}

// told are the fields of a request that a trace shows. No other is, since phones and modules send passwords, hashes and
// whatever headers they like.
var told = []string{
	"Event-Calling-Function", "action", "purpose", "profile", "gateway", "reconfig", "key", "group_name", "group", "lang", "VM-Action",
	"sip_profile", "sip_auth_method", "sip_user_agent", "ip",
	"Caller-Caller-ID-Number", "Caller-Caller-ID-Name", "Caller-Network-Addr", "Caller-Destination-Number", "Channel-Name", "Unique-ID",
	"variable_sip_gateway", "variable_sip_call_id",
}

// seen is a copy of an exchange, on its way to a line.
type seen struct {
	at       time.Time
	exchange Exchange
	form     []byte
	answer   []byte
}

// What is kept of an exchange, in bytes.
const (
	mostForm   = 64 << 10
	mostAnswer = 512 << 10
)

// size is roughly what s takes, in bytes.
func (s *seen) size() int { return len(s.form) + len(s.answer) + 1<<10 }

// see copies of an exchange what a line needs. Whoever answers has to wait for it, so the rest is left to line.
func see(x *xmlcurl.Exchange) *seen {
	s := &seen{at: x.Began, exchange: Exchange{
		Node: x.Request.Hostname, Says: x.Claimed, Kind: x.Kind, Result: x.Result, Status: x.Status, TookMS: milliseconds(x.Took),
		Stale: x.Stale, AgeSeconds: x.Age.Seconds(), NodeUnknown: x.NodeUnknown,
		Bytes: len(x.Answer), Cut: len(x.Answer) > mostAnswer,
	}}
	if x.Cause != nil {
		s.exchange.Cause = x.Cause.Error()
	}
	if x.Err != nil && x.Err.Error() != xmlcurl.ErrNotFound.Error() { // which says no more than the result
		s.exchange.Error = x.Err.Error()
	}
	for _, err := range x.Withheld {
		s.exchange.Withheld = append(s.exchange.Withheld, err.Error())
	}
	s.form = bytes.Clone(x.Form[:min(len(x.Form), mostForm)])
	s.answer = bytes.Clone(x.Answer[:min(len(x.Answer), mostAnswer)])
	return s
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// line is s without secrets. What does not come from this server's own words is cut where it is long.
func (s *seen) line(m *mask.Masker) Line {
	x := s.exchange
	if r, err := xmlcurl.ParseRequest(s.form); err == nil { // always: it was read before
		x.ask(r)
	}
	for _, text := range []*string{&x.Node, &x.Says, &x.Section, &x.Asked, &x.Number, &x.Context, &x.User, &x.Cause, &x.Error} {
		*text = short(m.Value("", "", *text))
	}
	for name, value := range x.Fields {
		x.Fields[name] = short(m.Value(name, name, value))
	}
	for i, text := range x.Withheld {
		x.Withheld[i] = short(m.Value("", "", text))
	}
	if x.Status != http.StatusOK { // a plain word of the server's
		x.Answer = string(s.answer)
	} else {
		x.Answer = string(m.Document(s.answer))
	}
	return Line{Time: s.at.UTC(), Exchange: &x}
}

// ask fills in what is asked for.
func (x *Exchange) ask(r *xmlcurl.Request) {
	x.Section, x.Asked, x.User = r.Section, r.KeyValue, userOf(r)
	if r.Section == "dialplan" {
		x.Number, x.Context = calledNumber(r), contextOf(r)
	}
	x.Fields = map[string]string{}
	for _, name := range told {
		if value := r.Field(name); value != "" {
			x.Fields[name] = value
		}
	}
}

func short(text string) string {
	const most = 512 // bytes
	if len(text) <= most {
		return text
	}
	return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(text[:most], ""), len(text))
}
