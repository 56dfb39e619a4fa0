// Package trace shows what one number, user or node asks a running server and gets, as it happens and without secrets. The
// server listens at a Unix socket that only its own user may open. A client sends an Order there, in one line of JSON, and
// receives Lines of JSON until the time is over.
package trace

import (
	"strings"
	"time"

	"xmlcurld/xmlcurl"
)

// MostTime is how long a trace may last.
const MostTime = 5 * time.Minute

// Order is what a client wants to see: exchanges that fit all that is not empty.
type Order struct {
	Number string        `json:"number,omitempty"` // that is called or calls, in any form of carriers: +27…, 27… or 0027…
	User   string        `json:"user,omitempty"`   // id@domain, who is looked up or calls
	Node   string        `json:"node,omitempty"`   // that asks
	Time   time.Duration `json:"time"`             // nanoseconds until the trace ends by itself; more than MostTime is MostTime
}

func (o *Order) fits(r *xmlcurl.Request) bool {
	return r != nil && (o.Node == "" || strings.EqualFold(o.Node, r.Hostname)) && (o.Number == "" || o.fitsNumber(r)) &&
		(o.User == "" || strings.EqualFold(o.User, userOf(r)))
}

func (o *Order) fitsNumber(r *xmlcurl.Request) bool {
	number := bare(o.Number)
	return r.Section == "dialplan" && (bare(calledNumber(r)) == number || bare(r.Field("Caller-Caller-ID-Number")) == number)
}

// bare is a number without the plus, or the 00 in its place.
func bare(number string) string {
	if digits, hasPlus := strings.CutPrefix(number, "+"); hasPlus {
		return digits
	}
	return strings.TrimPrefix(number, "00")
}

// calledNumber is what the dialplan is asked for. During execute_extension Caller-… is what was called first.
func calledNumber(r *xmlcurl.Request) string {
	return either(r, "Hunt-Destination-Number", "Caller-Destination-Number")
}

func contextOf(r *xmlcurl.Request) string { return either(r, "Hunt-Context", "Caller-Context") }

func either(r *xmlcurl.Request, field, otherwise string) string {
	if value := r.Field(field); value != "" {
		return value
	}
	return r.Field(otherwise)
}

// userOf is id@domain of who is looked up, or of the authenticated user who calls; "" when there is none.
func userOf(r *xmlcurl.Request) string {
	id, domain := r.Field("user"), r.KeyValue
	if r.Section != "directory" {
		id, domain = r.Field("variable_user_name"), r.Field("variable_domain_name")
	}
	if id == "" || domain == "" {
		return ""
	}
	return id + "@" + domain
}
