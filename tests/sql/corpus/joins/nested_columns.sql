SELECT n.id, n.items, n.point, m.attributes FROM '${DATA}/nested/' n JOIN '${DATA}/nested/' m ON n.id = m.id + 1
