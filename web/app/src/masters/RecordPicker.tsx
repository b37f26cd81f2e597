import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Input } from 'antd'
import { useEffect, useState } from 'react'
import { answer, api } from '../api/client'
import { useLanguage } from '../i18n'
import { FailureNote } from '../parts/FailureNote'
import { Waiting } from '../parts/Waiting'
import type { Task } from './ResolveForm'
import { SystemChips } from './SystemChips'
import { useDebounced } from './useDebounced'

const SHOWN = 20
const BEGINNING = 2

type Props = { task: Task; value: string | null; onChange: (id: string | null) => void }

/** Finds the golden record a code belongs to. */
export function RecordPicker({ task, value, onChange }: Props) {
  const { t } = useLanguage()
  const given = task.name?.trim() ?? ''
  const [text, setText] = useState(given)
  const q = useDebounced(text.trim())
  const found = useQuery({
    queryKey: ['masters', task.entity, q, 'pick'],
    queryFn: () =>
      answer(
        api.GET('/api/masters/{entity}', {
          params: { path: { entity: task.entity }, query: { ...(q && { q }) } },
        }),
      ),
    placeholderData: keepPreviousData,
  })
  const nothing = found.data?.total === 0 && !found.isPlaceholderData
  useEffect(() => {
    // Systems abbreviate names differently, but mostly keep how they begin.
    if (nothing && text === given && given.length > BEGINNING) setText(given.slice(0, BEGINNING))
  }, [nothing, text, given])
  return (
    <div className="picker">
      <Input
        allowClear
        autoFocus
        aria-label={t('masters.search')}
        placeholder={t('masters.search')}
        value={text}
        maxLength={100}
        onChange={(event) => {
          setText(event.target.value)
          onChange(null)
        }}
      />
      {found.error && <FailureNote error={found.error} bare retry={() => void found.refetch()} />}
      {found.isPending && <Waiting rows={3} card={false} />}
      {found.data?.rows.length === 0 && <p className="muted picker__none">{t('task.none_found')}</p>}
      <div role="radiogroup" aria-label={t('task.action.link')} className="picker__list">
        {found.data?.rows.slice(0, SHOWN).map((row) => (
          <label key={row.id} className={`picker__row${value === row.id ? ' picker__row--on' : ''}`}>
            <input type="radio" name="record" checked={value === row.id} onChange={() => onChange(row.id)} />
            <span className="picker__name">
              {row.name} <span className="muted num">{row.code}</span>
              {row.detail && <span className="muted small picker__detail">{row.detail}</span>}
            </span>
            <SystemChips systems={row.systems} />
          </label>
        ))}
      </div>
      {found.data && found.data.total > SHOWN && (
        <p className="muted small">{t('search.more', { n: SHOWN })}</p>
      )}
    </div>
  )
}
