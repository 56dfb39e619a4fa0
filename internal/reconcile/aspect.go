package reconcile

import (
	"xmlcurld/db"
	"xmlcurld/db/table"
)

// aspects are what of a switch is to be looked at.
type aspects uint

const (
	modules aspects = 1 << iota
	limits
	lists
	profiles
	gateways
	users
	fetched    // what only the switch's own fetches tell
	connection // whether it can be asked

	everything = connection - 1
)

// aspectsOf tells what a change of one kind can make different on a switch. An unknown kind, and none, may be anything.
func aspectsOf(kind string) aspects {
	switch kind {
	case "dialplan", db.CredentialNotice, table.WaitNotice:
		return 0 // each call asks anew; what a switch sends is for this server to check; who waits changed nothing
	case "module":
		return modules | fetched
	case "switch":
		return limits | fetched
	case "acl":
		return lists
	case "profile":
		return profiles | gateways
	case "gateway":
		return gateways
	case "user", "tenant":
		return users | lists | gateways | profiles
	case "document":
		return modules | fetched
	default:
		return everything
	}
}

// String names the aspect that a fault was in.
func (a aspects) String() string {
	return map[aspects]string{
		modules: "modules", limits: "limits", lists: "access lists", profiles: "profiles", gateways: "gateways",
		users: "users", fetched: "documents", connection: "event socket",
	}[a]
}
