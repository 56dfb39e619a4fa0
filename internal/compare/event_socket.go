package compare

// eventSocket compares event_socket.conf. The server says nothing of it while no password is set.
func (c *comparison) eventSocket() error {
	at := of{"event_socket.conf", "settings"}
	answer, err := c.server.configuration("event_socket.conf")
	if what, err := asFault(err); err != nil || what != "" {
		c.fault(at, what)
		return err
	}
	tree := settingsOf(c.configuration("event_socket.conf").child("settings"), "param")
	c.settings(at, "", tree, settingsOf(answer.child("settings"), "param"), rules{
		what: "param", row: func(name string) string { return "event_socket_param " + name },
		many: func(name string) bool { return name == "apply-inbound-acl" },
		explain: func(_, _, server string) string {
			if server == "" && len(answer.children) == 0 {
				return "the server says nothing of the event socket until node.event_socket_password is set, and the bootstrap's stands"
			}
			return ""
		},
	})
	return nil
}
