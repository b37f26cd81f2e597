import { Button, Input } from 'antd'
import { useState } from 'react'
import { useCan } from '../api/session'
import { count } from '../format/quantity'
import { useLanguage } from '../i18n'
import '../masters/Masters.css'

type Props = {
  q: string
  search: (q: string) => void
  /** Names of tables with an offer that nothing reads yet. */
  offered: string[]
  chosen: { has: (name: string) => boolean }
  choose: (names: string[], on: boolean) => void
  total: number | undefined
}

/** Search in the tables, and choosing all that something is suggested for. */
export function TableTools({ q, search, offered, chosen, choose, total }: Props) {
  const { t } = useLanguage()
  const can = useCan()
  const [typed, setTyped] = useState(q)
  const every = offered.every((name) => chosen.has(name))
  return (
    <div className="orders__filters">
      <Input.Search
        allowClear
        className="masters__search"
        aria-label={t('tables.search')}
        placeholder={t('tables.search')}
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value)
          search(event.target.value.trim())
        }}
      />
      {can('sources.manage') && offered.length > 0 && (
        <Button onClick={() => choose(offered, !every)}>
          {t(every ? 'tables.none_chosen' : 'tables.all_offered', { n: offered.length })}
        </Button>
      )}
      <span className="orders__total muted num" role="status">
        {total !== undefined && t('tables.total', { n: count(total) })}
      </span>
    </div>
  )
}
