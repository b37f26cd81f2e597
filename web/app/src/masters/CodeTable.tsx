import type { Code } from '../api/types'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { SourceLinks } from '../parts/SourceLinks'
import '../parts/Table.css'

/** The codes of a record in each system, how they were matched, on what and by whom. */
export function CodeTable({ codes }: { codes: Code[] }) {
  const { t, say } = useLanguage()
  const { dayTime } = useFormats()
  return (
    <div className="table-wrap">
      <table className="table table--cards">
        <thead>
          <tr>
            <th scope="col">{t('code.system')}</th>
            <th scope="col">{t('code.code')}</th>
            <th scope="col">{t('code.name')}</th>
            <th scope="col">{t('code.how')}</th>
            <th scope="col">{t('code.since')}</th>
            <th scope="col">{t('material.source')}</th>
          </tr>
        </thead>
        <tbody>
          {codes.map((code) => (
            <tr key={`${code.source} ${code.code}`}>
              <td>{say(code.source_label)}</td>
              <td className="code table__lead">{code.code}</td>
              <td className="table__wide">{code.name}</td>
              <td className="table__wide">
                <span className={code.how === 'confirmed' ? 'warn' : undefined}>{t(`code.how.${code.how}`)}</span>
                {code.matched_on && (
                  <span className="muted small">
                    {' '}
                    {t('code.on')} <span className="code">{code.matched_on}</span>
                  </span>
                )}
                {code.confirmed_by && (
                  <span className="muted small"> {t('code.by', { name: code.confirmed_by })}</span>
                )}
              </td>
              <td className="num" data-label={t('code.since')}>
                {dayTime(code.valid_from)}
              </td>
              <td>
                <SourceLinks sources={code.sources} of={code.code} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
