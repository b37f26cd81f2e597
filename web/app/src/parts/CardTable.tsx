import type { ReactNode } from 'react'
import './Table.css'

export type Head = { label: string; right?: boolean; hidden?: boolean }

/** A table that becomes a list of cards on a phone; `children` are its rows. */
export function CardTable({ heads, children }: { heads: readonly Head[]; children: ReactNode }) {
  return (
    <div className="table-wrap">
      <table className="table table--cards">
        <thead>
          <tr>
            {heads.map(({ label, right, hidden }) => (
              <th key={label} scope="col" className={right ? 'table__right' : undefined}>
                {hidden ? <span className="visually-hidden">{label}</span> : label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  )
}
