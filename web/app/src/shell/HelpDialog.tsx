import { Modal } from 'antd'
import { useLanguage, type Key } from '../i18n'
import './HelpDialog.css'

const KEYS: [string, Key][] = [
  ['/', 'help.search'],
  ['↑ ↓', 'help.move'],
  ['j k', 'help.list'],
  ['Enter', 'help.open'],
  ['Esc', 'help.close'],
  ['?', 'help.help'],
]

/** The keys, and what the marks mean. */
export function HelpDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useLanguage()
  return (
    <Modal open={open} onCancel={onClose} footer={null} title={t('help.title')} width={460}>
      <dl className="help">
        {KEYS.map(([key, text]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{t(text)}</dd>
          </div>
        ))}
      </dl>
      <p className="muted">{t('help.unconfirmed')}</p>
    </Modal>
  )
}
