import { useState } from 'react'
import { useLanguage } from '../i18n'
import type { Pending } from './draft'
import { FieldRow } from './FieldRow'
import type { Draft, Preview, Target } from './types'
import type { SeenColumn } from './useColumns'
import type { Mapping } from './useMapping'

export type FieldListProps = {
  target: Target
  entities: Target[]
  draft: Draft
  pending: Record<string, Pending>
  columns: SeenColumn[]
  problems: Preview['problems']
  missing: string[]
  mapping: Mapping
  readOnly: boolean
}

/** Every field of the target, and what fills it. */
export function FieldList(props: FieldListProps) {
  const { t, say } = useLanguage()
  const [open, setOpen] = useState<string | null>(null)
  const { target, draft, problems } = props
  const general = problems.filter((one) => one.field === null)
  return (
    <section className="card" aria-labelledby="fields">
      <h2 id="fields">{t('map.fields', { name: say(target.label) })}</h2>
      {general.map((one) => (
        <p key={say(one.message)} className="bad" role="alert">
          {say(one.message)}
        </p>
      ))}
      <ul className="rules">
        {target.fields.map((field) => (
          <FieldRow
            key={field.code}
            {...props}
            field={field}
            rule={draft.fields[field.code]}
            open={open === field.code}
            toggle={() => setOpen(open === field.code ? null : field.code)}
          />
        ))}
      </ul>
    </section>
  )
}
