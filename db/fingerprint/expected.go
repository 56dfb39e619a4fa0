package fingerprint

import (
	"context"
	"strings"

	"xmlcurld/db"
)

// AtStart returns what node can take only when it starts, by document and part, as the rows say it now.
func AtStart(ctx context.Context, rows *db.Rulebook, node string) (map[string]string, error) {
	all, err := ofCore(ctx, rows, node)
	delete(all, "post_load_switch.conf limits") // fsctl sets them
	return all, err
}

// ofCore are the parts of post_load_switch.conf and event_socket.conf.
func ofCore(ctx context.Context, rows *db.Rulebook, node string) (map[string]string, error) {
	settings, err := rows.Switch(ctx, node)
	if err != nil {
		return nil, err
	}
	socket, err := rows.EventSocket(ctx, node)
	if err != nil {
		return nil, err
	}
	all := make(map[string]string)
	addParts(all, "post_load_switch.conf", Switch(settings.Value))
	addParts(all, "event_socket.conf", EventSocket(socket.Value))
	return all, nil
}

func addParts(all map[string]string, document string, parts Parts) {
	for part, revision := range parts {
		all[strings.TrimSpace(document+" "+part)] = revision
	}
}

// All returns the parts of every document that node fetches when it starts, by document and part, as the rows say
// them now.
func All(ctx context.Context, rows *db.Rulebook, node string) (map[string]string, error) {
	all, err := ofCore(ctx, rows, node)
	if err != nil {
		return nil, err
	}
	modules, err := rows.Modules(ctx, node)
	if err != nil {
		return nil, err
	}
	addParts(all, "post_load_modules.conf", Modules(modules.Value))
	acl, err := rows.ACL(ctx, node)
	if err != nil {
		return nil, err
	}
	addParts(all, "acl.conf", ACL(acl.Value))
	sofia, err := rows.Sofia(ctx, node, "", "")
	if err != nil {
		return nil, err
	}
	addParts(all, "sofia.conf", Parts{"all profiles": Global(sofia.Value)})
	for i := range sofia.Value.Profiles {
		name := sofia.Value.Profiles[i].Name
		whole, err := rows.Sofia(ctx, node, name, "")
		if err != nil {
			return nil, err
		}
		for j := range whole.Value.Profiles {
			parts := Profile(&whole.Value.Profiles[j])
			delete(parts, name+"/kept") // it tells what was, not what is
			addParts(all, "sofia.conf", parts)
		}
	}
	return all, nil
}
