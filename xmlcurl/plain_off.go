//go:build nofast

package xmlcurl

// takePlain leaves all to net/http.
func (e *Endpoint) takePlain(c *conn) { e.forHTTP.give(c) }
