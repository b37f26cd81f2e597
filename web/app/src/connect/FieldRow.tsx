import { Input } from 'antd'
import { useLanguage } from '../i18n'
import { ColumnSelect } from './ColumnSelect'
import { columnsOf, reading } from './draft'
import type { FieldListProps } from './FieldList'
import { RuleEditor } from './RuleEditor'
import { RuleTags } from './RuleTags'
import type { Rule, TargetField } from './types'

type Props = FieldListProps & {
  field: TargetField
  rule: Rule | undefined
  open: boolean
  toggle: () => void
}

const fixed = (rule: Rule | undefined): boolean => rule?.const !== undefined && rule.const !== null

/** What fills one field: its column, how sure that is, and the rules behind it. */
export function FieldRow(props: Props) {
  const { t, say } = useLanguage()
  const { field, rule, open, toggle, columns, mapping, readOnly } = props
  const label = say(field.label)
  const pending = props.pending[field.code]
  const problem = props.problems.find((one) => one.field === field.code)
  const missing = props.missing.includes(field.code)
  return (
    <li className={`rule${pending ? ' rule--pending' : ''}${missing || problem ? ' rule--bad' : ''}`}>
      <div className="rule__name">
        <b>{label}</b>
        {field.required && <span className="bad">{t('map.required')}</span>}
        <span className="code muted small rule__code">{field.code}</span>
      </div>
      <div className="rule__from">
        {fixed(rule) ? (
          <Input
            aria-label={t('map.const_of', { name: label })}
            prefix={<span className="muted">=</span>}
            value={String(rule?.const)}
            disabled={readOnly}
            onChange={(event) => mapping.rule(field.code, { ...rule, const: event.target.value })}
          />
        ) : (
          <ColumnSelect
            label={t('map.column_of', { name: label })}
            columns={columns}
            value={columnsOf(rule)}
            readOnly={readOnly}
            onChange={(chosen) => mapping.rule(field.code, reading(rule, chosen))}
          />
        )}
        {pending && (
          <p className="small rule__why">
            {t('map.sure', { n: Math.round(pending.sure * 100) })} {say(pending.why)}
          </p>
        )}
        <RuleTags rule={rule} entities={props.entities} />
        {missing && <p className="bad small">{t('map.missing')}</p>}
        {problem && <p className="bad small">{say(problem.message)}</p>}
      </div>
      <div className="rule__do">
        {pending && !readOnly && (
          <>
            <button type="button" className="bare rule__yes" aria-label={t('map.accept_of', { name: label })} title={t('map.accept')} onClick={() => mapping.accept(field.code)}>
              ✓
            </button>
            <button type="button" className="bare rule__no" aria-label={t('map.refuse_of', { name: label })} title={t('map.refuse')} onClick={() => mapping.rule(field.code, null)}>
              ✕
            </button>
          </>
        )}
        <button type="button" className="bare map__link" aria-expanded={open} aria-label={t('map.rules_of', { name: label })} onClick={toggle}>
          {t('map.rules')}
        </button>
      </div>
      {open && (
        <RuleEditor
          field={field}
          rule={rule ?? {}}
          columns={columns}
          entities={props.entities}
          readOnly={readOnly}
          onChange={(next) => mapping.rule(field.code, next)}
        />
      )}
    </li>
  )
}
