/** Never edited once released: a change of the schema is a further migration. */
export const packages = `
-- The count of a content is that of its packages, without the files that are published beside the indexes.
UPDATE content SET count = (
  SELECT coalesce(sum(leaf.count), 0) FROM content_leaf JOIN leaf ON leaf.id = content_leaf.leaf
  WHERE content_leaf.content = content.id AND leaf.partition <> 'listed'
);
`;
