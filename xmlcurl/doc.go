// Package xmlcurl speaks the protocol by which FreeSWITCH's mod_xml_curl asks for its XML. It knows no database.
//
// The story of one request. A FreeSWITCH needs a piece of XML: where a call goes, whether a password is right, how a
// profile is set up. mod_xml_curl opens a new TCP connection and POSTs a form: five fields that say what is wanted
// (hostname, section, tag_name, key_name, key_value), then whatever is known about the call, up to 180 fields more. A
// thread of FreeSWITCH, often a call, waits until the answer is there.
//
// An endpoint (internal/endpoint) accepts the connection and reads the request. A plain one, as nearly all are, comes to the
// Server without net/http; one over TLS, one that comes late and one in unusual words of HTTP comes by way of it.
//
// Server starts the deadline and compares the credentials, which may tell that the request is one node's whatever its
// hostname says. Then it reads the body into pooled memory. ParseRequest reads the five fields, and leaves the rest where
// it lies until a handler asks for one by Request.Field: a map of all of them would cost more than the whole rest of the
// answer. Mux picks the Handler, by section and, for configuration, by file name.
//
// The handler writes elements to a Document, or returns ErrNotFound or ErrUnavailable. Document encodes each value so
// that it arrives in FreeSWITCH exactly as it was given, past a pre-processor that would run some of them as shell
// commands, and remembers the first fault. Only when the handler is done, and without fault, does the first byte go
// out: the whole document, with its length, or one plain line and a status that says why not. Not found is no failure:
// it is status 200 with a document that says so, and FreeSWITCH looks elsewhere.
//
// Then the request is counted, timed and logged, in one place, in words from closed sets; what a caller sent is logged
// escaped and short, and the form never.
package xmlcurl
