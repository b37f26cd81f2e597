/** The address of a record's lineage. */
export function recordPath(entity: string, id: string): string {
  return `/lineage/records/${encodeURIComponent(entity)}/${encodeURIComponent(id)}`
}

/** The address of a source row's lineage. */
export function rowPath(source: string, stream: string, key: string): string {
  return `/lineage/rows/${[source, stream, key].map(encodeURIComponent).join('/')}`
}
