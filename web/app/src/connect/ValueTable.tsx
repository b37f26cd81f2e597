import { Input, Select } from 'antd'
import { useState } from 'react'
import { useLanguage } from '../i18n'
import type { Rule, TargetField } from './types'

type Props = {
  field: TargetField
  rule: Rule
  /** Values that were seen in the column. */
  seen: string[]
  readOnly: boolean
  set: (more: Partial<Rule>) => void
}

/** What each value of the old system means. */
export function ValueTable({ field, rule, seen, readOnly, set }: Props) {
  const { t, say } = useLanguage()
  const [typed, setTyped] = useState('')
  const choices = rule.choices ?? {}
  const yes = field.type === 'boolean'
  const options = yes
    ? [{ value: 'true', label: t('rule.yes') }, { value: 'false', label: t('rule.no') }]
    : field.choices.map(({ code, label }) => ({ value: code, label: say(label) }))
  const values = [...new Set([...Object.keys(choices), ...seen])]
  const put = (value: string, meaning: string | undefined): void => {
    const { [value]: _, ...others } = choices
    set({ choices: meaning === undefined ? others : { ...others, [value]: yes ? meaning === 'true' : meaning } })
  }
  const pick = (label: string, value: string | undefined, onChange: (value?: string) => void) => (
    <Select
      allowClear
      aria-label={label}
      className="values__pick"
      placeholder={t('rule.untranslated')}
      value={value}
      options={options}
      disabled={readOnly}
      onChange={onChange}
    />
  )
  return (
    <div className="values">
      <h3 className="map__sub">{t('rule.values')}</h3>
      <ul>
        {values.map((value) => (
          <li key={value}>
            <span className="code values__old">{value || t('source.blank')}</span>
            <span aria-hidden="true">→</span>
            {pick(t('rule.value_of', { value }), choices[value] === undefined ? undefined : String(choices[value]), (meaning) =>
              put(value, meaning),
            )}
          </li>
        ))}
        {!readOnly && (
          <li>
            <Input
              className="values__old"
              aria-label={t('rule.add_value')}
              placeholder={t('rule.add_value')}
              value={typed}
              onChange={(event) => setTyped(event.target.value)}
            />
            <span aria-hidden="true">→</span>
            {pick(t('rule.value_of', { value: typed }), undefined, (meaning) => {
              if (typed) put(typed, meaning)
              setTyped('')
            })}
          </li>
        )}
        {!yes && (
          <li>
            <span className="values__old muted">{t('rule.otherwise')}</span>
            <span aria-hidden="true">→</span>
            {pick(t('rule.otherwise'), rule.otherwise ?? undefined, (meaning) => set({ otherwise: meaning ?? null }))}
          </li>
        )}
      </ul>
    </div>
  )
}
