/** The systems that know a record. */
export function SystemChips({ systems }: { systems: string[] }) {
  return (
    <span className="systems">
      {systems.map((system) => (
        <span key={system} className="systems__chip">
          {system.toUpperCase()}
        </span>
      ))}
    </span>
  )
}
