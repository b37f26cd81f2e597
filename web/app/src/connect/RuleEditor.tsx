import { Input, Select } from 'antd'
import { useId, type ReactNode } from 'react'
import { useLanguage } from '../i18n'
import { ColumnSelect } from './ColumnSelect'
import { columnsOf, tidy } from './draft'
import type { Clean, Rule, Target, TargetField, Unknown } from './types'
import type { SeenColumn } from './useColumns'
import { ValueTable } from './ValueTable'

type Props = {
  field: TargetField
  rule: Rule
  columns: SeenColumn[]
  entities: Target[]
  readOnly: boolean
  onChange: (rule: Rule | null) => void
}

const CLEANS: Clean[] = ['text', 'code', 'document_no', 'name']
const UNKNOWNS: Unknown[] = ['wait', 'leave', 'quiet']
const NUMBERS = new Set(['integer', 'decimal', 'money'])

function Labelled({ label, hint, children }: { label: string; hint?: string; children: (id: string) => ReactNode }) {
  const id = useId()
  return (
    <div className="map__field">
      <label htmlFor={id}>{label}</label>
      {children(id)}
      {hint && <p className="muted small">{hint}</p>}
    </div>
  )
}

function Lookup({ field, rule, entities, readOnly, set }: Omit<Props, 'columns' | 'onChange'> & { set: (more: Partial<Rule>) => void }) {
  const { t, say } = useLanguage()
  const wanted = entities.find((one) => one.entity === field.target)
  if (!wanted) return null
  const by = wanted.master ? wanted.keys : wanted.fields.map(({ code, label }) => ({ code, label }))
  const none = { value: '', label: t('rule.by_code') }
  const options = by.map(({ code, label }) => ({ value: code, label: say(label) }))
  const named = wanted.master ? { master: wanted.entity, ref: null } : { ref: wanted.entity, master: null }
  return (
    <>
      <Labelled label={t('rule.by', { name: say(wanted.label) })} hint={t(wanted.master ? 'rule.master_hint' : 'rule.ref_hint')}>
        {(id) => (
          <Select
            id={id}
            value={rule.by ?? ''}
            disabled={readOnly}
            options={wanted.master ? [none, ...options] : options}
            onChange={(value: string) => set({ ...named, by: value || null })}
          />
        )}
      </Labelled>
      <Labelled label={t('rule.unknown')}>
        {(id) => (
          <Select
            id={id}
            value={rule.unknown ?? 'wait'}
            disabled={readOnly}
            options={UNKNOWNS.map((value) => ({ value, label: t(`rule.unknown.${value}`) }))}
            onChange={(value: Unknown) => set({ ...named, unknown: value })}
          />
        )}
      </Labelled>
    </>
  )
}

/** All that may happen between a column and a field. */
export function RuleEditor({ field, rule, columns, entities, readOnly, onChange }: Props) {
  const { t } = useLanguage()
  const set = (more: Partial<Rule>): void => onChange(tidy({ ...rule, ...more }))
  const fixed = rule.const !== undefined && rule.const !== null
  const from = columnsOf(rule)
  const seen = columns.find((column) => column.name === from[0])?.values ?? []
  const translates = from.length === 1 && (field.choices.length > 0 || field.type === 'boolean')
  return (
    <div className="rule__editor">
      <div className="map__grid">
        <Labelled label={t('rule.origin')}>
          {(id) => (
            <Select
              id={id}
              value={fixed ? 'const' : 'column'}
              disabled={readOnly}
              options={[
                { value: 'column', label: t('rule.column') },
                { value: 'const', label: t('rule.const') },
              ]}
              onChange={(value: string) => onChange(value === 'const' ? { const: field.choices[0]?.code ?? ' ' } : null)}
            />
          )}
        </Labelled>
        {!fixed && (
          <Labelled label={t('rule.clean')}>
            {(id) => (
              <Select
                id={id}
                value={rule.clean ?? 'text'}
                disabled={readOnly}
                options={CLEANS.map((value) => ({ value, label: t(`rule.clean.${value}`) }))}
                onChange={(clean: Clean) => set({ clean })}
              />
            )}
          </Labelled>
        )}
        {!fixed && <Lookup field={field} rule={rule} entities={entities} readOnly={readOnly} set={set} />}
        {!fixed && NUMBERS.has(field.type) && (
          <Labelled label={t('rule.times')} hint={t('rule.times_hint')}>
            {(id) => (
              <ColumnSelect
                id={id}
                label={t('rule.times')}
                several={false}
                columns={columns}
                value={rule.times ? [rule.times] : []}
                readOnly={readOnly}
                onChange={([times]) => set({ times: times ?? null })}
              />
            )}
          </Labelled>
        )}
        {!fixed && (
          <Labelled label={t('rule.default')}>
            {(id) => (
              <Input
                id={id}
                value={rule.default === undefined || rule.default === null ? '' : String(rule.default)}
                disabled={readOnly}
                onChange={(event) => set({ default: event.target.value })}
              />
            )}
          </Labelled>
        )}
      </div>
      {!fixed && translates && <ValueTable field={field} rule={rule} seen={seen} readOnly={readOnly} set={set} />}
    </div>
  )
}
